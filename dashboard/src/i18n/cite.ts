import type { Bilingual } from '../wire/types';

const ORDINALS = ['', '一', '二', '三', '四', '五', '六'];

/** `CN-CRIM#293-1` → “《刑法》第293条之一”, `US-FDCPA#1692d` → “FDCPA, 15 U.S.C. § 1692d”; unknown codes stand as they are. */
export function citeText(cite: string, laws: Readonly<Record<string, Bilingual>>, lang: keyof Bilingual): string {
  const [code = '', article] = cite.split('#');
  const name = laws[code]?.[lang] ?? code;
  if (article === undefined) return name;
  const numbered = /^(\d[\w.]*)(?:-(\d))?(.*)$/.exec(article);
  if (numbered === null) return `${name} · ${article}`;
  const [, number = '', inserted, rest = ''] = numbered;
  if (lang === 'en' || !code.startsWith('CN')) return `${name} § ${article}`;
  const after = inserted === undefined ? '' : `之${ORDINALS[Number(inserted)] ?? inserted}`;
  return `${name}第${number}条${after}${rest}`;
}
