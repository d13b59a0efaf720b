import type { Bilingual } from '../wire/types';

/** Names of the sources that alerts cite as `CODE#article`. */
const LAWS: Record<string, Bilingual> = {
  'CN-GBT45251': { zh: 'GB/T 45251-2025 贷后催收风控指引', en: 'GB/T 45251-2025 Post-loan collection guidelines' },
  'CN-NIFA2024': { zh: '互金协会《贷后催收业务指引》2024', en: 'NIFA Post-loan Collection Guidelines 2024' },
  'CN-NIFA2018': { zh: '互金协会《逾期债务催收自律公约》2018', en: 'NIFA Collection Self-regulation Pact 2018' },
  'CN-CBA2026': { zh: '银行业协会《催收工作指引》2026', en: 'CBA Collection Guidelines 2026' },
  'CN-CC2011': { zh: '《商业银行信用卡业务监督管理办法》', en: 'Credit Card Supervision Measures 2011' },
  'CN-CC2022': { zh: '银保监规〔2022〕13号（信用卡）', en: 'CBIRC Credit Card Notice 2022 No. 13' },
  'CN-BIPR2022': {
    zh: '《银行保险机构消费者权益保护管理办法》',
    en: 'Bank and Insurance Consumer Protection Measures',
  },
  'CN-CFC2024': { zh: '《消费金融公司管理办法》', en: 'Consumer Finance Company Measures 2024' },
  'CN-CRIM': { zh: '《刑法》', en: 'PRC Criminal Law' },
  'CN-PIPL': { zh: '《个人信息保护法》', en: 'PRC Personal Information Protection Law' },
  'CN-CIV': { zh: '《民法典》', en: 'PRC Civil Code' },
  'CN-PSAP2012': { zh: '《治安管理处罚法》（2012）', en: 'Public Security Penalties Law (2012)' },
  'CN-PSAP2025': { zh: '《治安管理处罚法》（2025）', en: 'Public Security Penalties Law (2025)' },
  'US-FDCPA': { zh: '美国《公平债务催收行为法》15 U.S.C.', en: 'FDCPA, 15 U.S.C.' },
  'US-REGF': { zh: '美国 Regulation F，12 CFR', en: 'Regulation F, 12 CFR' },
  'US-TCPA': { zh: '美国《电话消费者保护法》', en: 'TCPA, 47 U.S.C. 227' },
  'US-REC': { zh: '美国通话录音法', en: 'US call recording law' },
  'UK-CONC': { zh: '英国 FCA 手册 CONC', en: 'FCA Handbook, CONC' },
};

const ORDINALS = ['', '一', '二', '三', '四', '五', '六'];

/** `CN-CRIM#293-1` → “《刑法》第293条之一”, `US-FDCPA#1692d` → “FDCPA, 15 U.S.C. § 1692d”; unknown codes stand as they are. */
export function citeText(cite: string, lang: keyof Bilingual): string {
  const [code = '', article] = cite.split('#');
  const name = LAWS[code]?.[lang] ?? code;
  if (article === undefined) return name;
  const numbered = /^(\d[\w.]*)(?:-(\d))?(.*)$/.exec(article);
  if (numbered === null) return `${name} · ${article}`;
  const [, number = '', inserted, rest = ''] = numbered;
  if (lang === 'en' || !code.startsWith('CN')) return `${name} § ${article}`;
  const after = inserted === undefined ? '' : `之${ORDINALS[Number(inserted)] ?? inserted}`;
  return `${name}第${number}条${after}${rest}`;
}
