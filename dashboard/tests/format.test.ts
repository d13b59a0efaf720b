import { describe, expect, it } from 'vitest';
import { ticks } from '../src/format/axis';
import { band, line, loudness, y, type Frame } from '../src/format/chart';
import { confidence, percent } from '../src/format/confidence';
import { toTheWord } from '../src/format/evidence';
import { fit } from '../src/format/fit';
import { pieces, sentence } from '../src/format/mark';
import { dayText, figure, hourText } from '../src/format/terms';
import { clock, clockTenths, moment, signed } from '../src/format/time';
import { en } from '../src/i18n/en';
import { citeText } from '../src/i18n/cite';
import { zh } from '../src/i18n/zh';
import { backoff } from '../src/live/socket';
import { href, parse } from '../src/state/route';
import { alert, utterance } from './given';

describe('times', () => {
  it('read as people say them', () => {
    expect(clock(7.9)).toBe('0:07');
    expect(clock(3753)).toBe('1:02:33');
    expect(clock(-1)).toBe('0:00');
    expect(clockTenths(67.45)).toBe('1:07.4');
  });

  it('carry the date only on other days', () => {
    const now = new Date(2026, 2, 10, 12);
    expect(moment(new Date(2026, 2, 10, 9, 5, 3).toISOString(), 'en-GB', now)).toBe('09:05:03');
    expect(moment(new Date(2026, 2, 9, 9, 5, 3).toISOString(), 'en-GB', now)).toBe('9 Mar 09:05:03');
    expect(moment('nonsense', 'en-GB', now)).toBe('nonsense');
  });
});

describe('what people agree on', () => {
  it('shows decimals only where there are any', () => {
    expect(figure('2000.00', 'zh-CN')).toBe('2,000');
    expect(figure('1500.5', 'en-GB')).toBe('1,500.50');
    expect(figure('nonsense', 'en-GB')).toBe('nonsense');
  });

  it('names the day as it was said, in every time zone, with the year only where it is another', () => {
    const now = new Date(2026, 2, 10);
    expect(dayText('2026-12-15', 'zh-CN', now)).toBe('12月15日周二');
    expect(dayText('2027-01-04', 'zh-CN', now)).toContain('2027年1月4日');
    expect(dayText('nonsense', 'zh-CN', now)).toBe('nonsense');
    expect(['15:00:00', '15:00', ''].map(hourText)).toEqual(['15:00', '15:00', '']);
  });
});

describe('confidence', () => {
  it('is told in words, of the figure that is shown', () => {
    expect([1, 0.95, 0.946].map(confidence)).toEqual(['sure', 'sure', 'sure']);
    expect([0.944, 0.85, 0.846].map(confidence)).toEqual(['fair', 'fair', 'fair']);
    expect([0.844, 0.01].map(confidence)).toEqual(['ear', 'ear']);
    expect(percent(0.846)).toBe('85%');
  });

  it('reads as the trade says it', () => {
    expect(zh.alert.confidence).toEqual({ sure: '把握很大', fair: '把握较大', ear: '需人工复核' });
    expect(en.alert.confidence).toEqual({ sure: 'Very sure', fair: 'Fairly sure', ear: 'Needs an ear' });
  });
});

describe('a sentence', () => {
  const told = { quote: 'arrested', sentence: 'You will be arrested today.' };

  it('is cut at the words that tell', () => {
    expect(sentence(alert('x', told))).toEqual({ before: 'You will be ', telling: 'arrested', after: ' today.' });
  });

  it('is none where nothing is quoted, or the record is older than sentences', () => {
    expect(sentence(alert('x', { ...told, quote: '' }))).toBeNull();
    expect(sentence(alert('x', { ...told, sentence: '' }))).toBeNull();
  });

  it('loses its beginning only where that is long', () => {
    const at = (n: number) => sentence(alert('x', { quote: '老赖', sentence: `${'啊'.repeat(n)}老赖` }), true)?.before;
    expect(at(32)).toBe('啊'.repeat(32));
    expect(at(33)).toBe(`…${'啊'.repeat(16)}`);
  });
});

describe('evidence', () => {
  const words = ['你', '就是', '老赖'].map((said, index) => ({
    text: said,
    start: 10 + index,
    end: 10.8 + index,
    probability: 0.9,
  }));
  const said = { ...utterance('agent-0', 10), text: '你就是老赖！', words };
  const flagged = alert('w', { utterance_id: 'agent-0', quote: '老赖', start: 10, end: 14 });

  it('is marked to the word once the words are timed', () => {
    expect(toTheWord(flagged, [said])).toMatchObject({ id: 'w', start: 12, end: 12.8 });
    expect(toTheWord({ ...flagged, quote: '就是老赖！' }, [said])).toMatchObject({ start: 11, end: 12.8 });
  });

  it('keeps its span where they are not, or where the quote is not theirs', () => {
    expect(toTheWord(flagged, [{ ...said, words: [] }])).toBe(flagged);
    expect(toTheWord(flagged, [])).toBe(flagged);
    expect(toTheWord({ ...flagged, quote: '' }, [said])).toMatchObject({ start: 10, end: 14 });
    expect(toTheWord({ ...flagged, quote: '骗子' }, [said])).toMatchObject({ start: 10, end: 14 });
  });
});

it('scores keep their width and a true minus', () => {
  expect([signed(0.5), signed(-0.234), signed(-0.001)]).toEqual(['+0.50', '−0.23', '0.00']);
});

describe('marks', () => {
  const worse = alert('w', { quote: '老赖', severity: 'critical' });
  const wide = alert('h', { quote: '就是老赖不要脸', severity: 'high' });

  it('cover the quoted words only', () => {
    expect(pieces('你是老赖！', [worse]).map((p) => [p.text, p.alerts.length])).toEqual([
      ['你是', 0],
      ['老赖', 1],
      ['！', 0],
    ]);
  });

  it('show the worst of several first where they overlap', () => {
    const cut = pieces('你就是老赖不要脸', [wide, worse]);
    expect(cut.map((p) => p.text)).toEqual(['你', '就是', '老赖', '不要脸']);
    expect(cut[2]?.alerts.map((a) => a.id)).toEqual(['w', 'h']);
  });

  it('cover everything when the quote is not there word for word', () => {
    expect(pieces('你是赖皮', [worse])).toEqual([{ text: '你是赖皮', alerts: [worse] }]);
  });

  it('are not made for a duty missed', () => {
    expect(pieces('您好', [alert('d', { quote: '' })])).toEqual([{ text: '您好', alerts: [] }]);
  });
});

describe('sentiment lines', () => {
  const frame: Frame = { width: 100, height: 40, from: 0, to: 10 };

  it('run from the first point to the right edge', () => {
    expect(
      line(
        [
          { at: 0, trend: 1 },
          { at: 5, trend: -1 },
        ],
        frame,
      ),
    ).toBe('M0 0 L50 40 H100');
  });

  it('start at the left edge when their first point lies before it', () => {
    expect(
      line(
        [
          { at: 2, trend: 0 },
          { at: 8, trend: 0 },
        ],
        { ...frame, from: 5 },
      ),
    ).toMatch(/^M0 20 L60 20/);
  });

  it('are empty without points, and never leave the frame', () => {
    expect(line([], frame)).toBe('');
    expect(y(-7, frame)).toBe(40);
  });
});

it('risk bands follow the weights of one alert', () => {
  const weights = { critical: 40, high: 20, medium: 5, low: 1 };
  expect([4, 5, 20, 40].map((risk) => band(risk, weights))).toEqual(['calm', 'raised', 'high', 'critical']);
  expect(band(100, {})).toBe('calm');
  expect(loudness(-90)).toBe(0);
  expect(loudness(0)).toBe(1);
});

it('laws are named in the reader’s language', () => {
  const laws = {
    'CN-CRIM': { zh: '《刑法》', en: 'PRC Criminal Law' },
    'CN-CBA2026': { zh: '银行业协会《催收工作指引》2026', en: 'CBA Collection Guidelines 2026' },
    'US-FDCPA': { zh: '美国《公平债务催收行为法》15 U.S.C.', en: 'FDCPA, 15 U.S.C.' },
  };
  expect(citeText('CN-CRIM#293-1', laws, 'zh')).toBe('《刑法》第293条之一');
  expect(citeText('US-FDCPA#1692d(1)', laws, 'en')).toBe('FDCPA, 15 U.S.C. § 1692d(1)');
  expect(citeText('CN-CBA2026#频次', laws, 'zh')).toBe('银行业协会《催收工作指引》2026 · 频次');
  expect(citeText('XX-NEW#1', laws, 'en')).toBe('XX-NEW § 1');
});

describe('addresses', () => {
  it('lead back to the page they were made from', () => {
    const id = 'twilio/CA 1#:?';
    for (const route of [
      { page: 'wall' },
      { page: 'alerts' },
      { page: 'users' },
      { page: 'source', name: '上海 pbx/1' },
      { page: 'call', id, alert: 'x:1' },
      { page: 'replay', id, at: 12.5 },
    ] as const) {
      const url = new URL(href(route), 'http://here');
      expect(parse(url.pathname, url.search)).toEqual(route);
    }
  });

  it('that lead nowhere say so', () => {
    expect(parse('/nowhere', '').page).toBe('missing');
    expect(parse('/calls/a/b/c', '').page).toBe('missing');
    expect(parse('/calls/%E0%A4%A', '').page).toBe('missing');
  });
});

it('waiting doubles up to a bound and is spread', () => {
  expect(backoff(0, 0)).toBe(250);
  expect(backoff(1, 0)).toBe(500);
  expect(backoff(50, 0.999)).toBeLessThanOrEqual(15_000);
  expect(backoff(3, 0)).toBeLessThan(backoff(3, 0.9));
});

it('both languages have words for everything', () => {
  const empty = (words: object): string[] =>
    Object.entries(words).flatMap(([key, value]) =>
      value === '' ? [key] : typeof value === 'object' ? empty(value as object) : [],
    );
  expect([...empty(zh), ...empty(en)]).toEqual([]);
});

describe('a time axis', () => {
  it('has room for every label', () => {
    expect(ticks(40, 1000)).toEqual([0, 5, 10, 15, 20, 25, 30, 35, 40]);
    expect(ticks(7200, 300)).toEqual([0, 1800, 3600, 5400, 7200]);
    expect(ticks(90_000, 300)).toHaveLength(4);
  });

  it('is bare where there is nothing to measure', () => {
    expect(ticks(0, 1000)).toEqual([]);
    expect(ticks(10, 0)).toEqual([]);
  });
});

describe('cards', () => {
  it('are as large as lets all of them be seen', () => {
    expect([1, 4, 6, 12, 60].map((count) => fit(count, 75, 45))).toEqual([
      'huge',
      'huge',
      'normal',
      'compact',
      'compact',
    ]);
    expect(fit(6, 120, 45)).toBe('huge');
    expect(fit(8, 120, 45)).toBe('large');
    expect(fit(18, 120, 45)).toBe('normal');
  });

  it('have their usual size before anything is known', () => expect(fit(0, 0, 0)).toBe('normal'));
});
