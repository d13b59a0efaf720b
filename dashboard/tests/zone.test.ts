import { afterEach, describe, expect, it, vi } from 'vitest';
import { differs, localSpan, localTime } from '../src/format/zone';

const NIGHT = new Date('2026-03-02T14:40:00Z');

afterEach(() => void vi.unstubAllEnvs());
const browserIn = (zone: string) => vi.stubEnv('TZ', zone);

describe('the debtor’s time', () => {
  it('is that of the zone, wherever the browser stands', () => {
    for (const zone of ['UTC', 'Asia/Shanghai', 'Europe/London']) {
      browserIn(zone);
      expect(localTime(NIGHT, 'Asia/Shanghai', 'en-GB')).toBe('22:40 (Asia/Shanghai)');
      expect(localTime(NIGHT, 'UTC+05:30', 'en-GB')).toBe('20:10 (UTC+05:30)');
      expect(localTime(NIGHT, 'UTC-03:30', 'en-GB')).toBe('11:10 (UTC-03:30)');
      expect(localTime(NIGHT, 'UTC', 'en-GB')).toBe('14:40 (UTC)');
    }
  });

  it('has its date where that is another one there', () => {
    browserIn('Asia/Shanghai');
    const morning = new Date('2026-03-02T01:00:00Z');
    expect(localTime(morning, 'America/New_York', 'en-GB')).toBe('1 Mar 20:00 (America/New_York)');
    expect(localTime(morning, 'America/New_York', 'zh-CN')).toBe('3月1日 20:00 (America/New_York)');
  });

  it('goes by the clocks of summer and winter', () => {
    browserIn('UTC');
    expect(localTime(new Date('2026-07-02T14:40:00Z'), 'America/New_York', 'en-GB')).toBe('10:40 (America/New_York)');
    expect(localTime(NIGHT, 'America/New_York', 'en-GB')).toBe('09:40 (America/New_York)');
    expect(localSpan(new Date('2026-03-08T06:59:00Z'), 120, 'America/New_York', 'en-GB')).toBe(
      '01:59–03:01 (America/New_York)',
    );
  });

  it('is a span for a call, and one time for a short one', () => {
    browserIn('UTC');
    expect(localSpan(NIGHT, 359, 'Asia/Shanghai', 'en-GB')).toBe('22:40–22:45 (Asia/Shanghai)');
    expect(localSpan(NIGHT, 59, 'Asia/Shanghai', 'en-GB')).toBe('22:40 (Asia/Shanghai)');
  });

  it('is not there without a zone, a moment, or a browser that knows the zone', () => {
    expect(localTime(NIGHT, '', 'en-GB')).toBeNull();
    expect(localSpan(NIGHT, 600, '', 'en-GB')).toBeNull();
    expect(localTime(NIGHT, 'Mars/Olympus', 'en-GB')).toBeNull();
    expect(localTime(new Date('nonsense'), 'Asia/Shanghai', 'en-GB')).toBeNull();
    expect(differs(NIGHT, '')).toBe(false);
    expect(differs(NIGHT, 'Mars/Olympus')).toBe(false);
  });

  it('differs by what the clock on the wall shows, not by the name', () => {
    browserIn('Asia/Shanghai');
    expect(differs(NIGHT, 'Asia/Shanghai')).toBe(false);
    expect(differs(NIGHT, 'Asia/Hong_Kong')).toBe(false);
    expect(differs(NIGHT, 'UTC+08:00')).toBe(false);
    expect(differs(NIGHT, 'Asia/Urumqi')).toBe(true);
    expect(differs(NIGHT, 'UTC')).toBe(true);
  });
});
