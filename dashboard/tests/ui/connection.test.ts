import { fireEvent, render, screen, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { bytes, laidOut, legTrouble, levelNow } from '../../src/format/connection';
import { text } from '../../src/i18n/text.svelte';
import ConnectionList from '../../src/ui/ConnectionList.svelte';
import type { Connection, LegPreview } from '../../src/wire/types';

const LEG: LegPreview = {
  role: 'customer',
  encoding: 'mulaw',
  rate: 8000,
  clock: 'timestamps',
  packets: 500,
  audio: 10,
  last_at: 9.9,
  jitter: 0.0042,
  longest_pause: 0.25,
  reordered: 0,
  pace: 1.02,
  ahead: 0.04,
  reading: { dbfs: -31.5, speech: -28, peak: -9, speaking: true, lost: 0, late: 0, duplicates: 0, strays: 0 },
};
const LIVE: Connection = {
  id: 7,
  seen: { dialect: 'twilio', address: '203.0.113.7', path: '/v1/twilio/…', query: { site: 'north' }, headers: {} },
  opened_at: '2026-03-02T12:00:00Z',
  times: 1,
  state: 'live',
  seconds: 10,
  credential: 'cw_0123456789ab',
  vendor: 'Twilio',
  names_parties: false,
  texts: 502,
  binaries: 0,
  size: 160_000,
  last_at: 9.9,
  messages: [{ at: 0.01, kind: 'text', size: 40, text: '{"event":"start","start":{"callSid":"CA1"}}' }],
  call_id: 'CA1',
  resumed: false,
  fields: [
    { name: 'call_id', value: 'CA1', origin: 'message', place: 'start.callSid' },
    { name: 'agent', value: '', origin: 'nothing', place: '' },
  ],
  metadata: { team: '一组' },
  legs: [LEG],
  digits: 2,
  notices: [{ kind: 'leg', field: 'media.track', message: 'is none that start has announced', times: 3 }],
  refusal: null,
  ending: null,
};
const REFUSED: Connection = {
  ...LIVE,
  id: 8,
  state: 'refused',
  times: 4,
  call_id: '',
  fields: [],
  legs: [],
  notices: [],
  messages: [],
  refusal: {
    code: 'wrong_signature',
    message: 'it was checked over https://calls.example.org/v1/twilio/pbx',
    hint: { zh: '签名对不上。', en: 'The signature does not fit.' },
  },
};

beforeEach(() => text.choose('en'));

describe('what is wrong with a leg', () => {
  it.each([
    [{}, null],
    [{ packets: 0, audio: 0 }, 'none'],
    [{ pace: 9.7 }, 'fast'],
    [{ reading: { ...LEG.reading, peak: -96 } }, 'silent'],
    [{ reading: { ...LEG.reading, peak: 0 } }, 'clipped'],
    [{ reading: { ...LEG.reading, speech: -55 } }, 'faint'],
    [{ reading: { ...LEG.reading, speech: null } }, null],
    [{ reading: null }, null],
    [{ audio: 0.5, reading: { ...LEG.reading, peak: -96 } }, null],
  ])('%o is %s', (changed, trouble) => {
    expect(legTrouble({ ...LEG, ...changed } as LegPreview, LIVE)).toBe(trouble);
  });

  it('is not that nothing came yet', () => {
    expect(legTrouble({ ...LEG, packets: 0 }, { ...LIVE, seconds: 1 })).toBeNull();
  });
});

describe('the level', () => {
  it('is drawn while audio comes, and not after', () => {
    expect(levelNow(LEG, LIVE)).toBe(-31.5);
    expect(levelNow(LEG, { ...LIVE, seconds: 20 })).toBeNull();
    expect(levelNow(LEG, { ...LIVE, state: 'ended' })).toBeNull();
  });
});

describe('a message', () => {
  it('is laid out where it is JSON, and stays as it is where not', () => {
    expect(laidOut('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(laidOut('MEDIA_START format:ulaw')).toBe('MEDIA_START format:ulaw');
  });

  it('is counted in units that a person reads', () => {
    expect([bytes(40), bytes(38_200), bytes(1_400_000)]).toEqual(['40 B', '38.2 kB', '1.4 MB']);
  });
});

describe('the list', () => {
  const show = (connections: Connection[]) => render(ConnectionList, { connections, empty: 'No connection yet.' });

  it('shows a live call: its leg with the level, its fields with where they are from, what is odd', () => {
    text.choose('zh');
    show([LIVE]);
    const meter = screen.getByRole('meter', { name: '客户音量' });
    expect(meter.getAttribute('aria-valuenow')).toBe('-31.5');
    expect(screen.getByRole('row', { name: /通话编号/ }).textContent).toMatch(/CA1.*来自消息.*start\.callSid/s);
    expect(screen.getByRole('row', { name: /坐席/ }).textContent).toMatch(/–.*未提供/s);
    expect(screen.getByText('is none that start has announced').parentElement?.textContent).toMatch(/共 3 次/);
    expect(screen.getByText(/文本 502 条/).textContent).toMatch(/160\.0 kB.*按键 2 次/s);
  });

  it('tells why one was refused, how that is mended, and how often it came', () => {
    show([REFUSED]);
    const told = screen.getByRole('status');
    expect(within(told).getByText(/calls\.example\.org/)).toBeTruthy();
    expect(within(told).getByText('The signature does not fit.')).toBeTruthy();
    expect(screen.getByText('4 times')).toBeTruthy();
  });

  it('opens the newest one, and leaves open what somebody has opened, whatever comes', async () => {
    const { container, rerender } = show([LIVE]);
    const open = () => [...container.querySelectorAll<HTMLDetailsElement>('details.panel')].map((each) => each.open);
    const summaries = () => [...container.querySelectorAll<HTMLElement>('details.panel > summary')];
    expect(open()).toEqual([true]);
    await rerender({ connections: [REFUSED, LIVE] });
    expect(open()).toEqual([true, false]);
    await fireEvent.click(summaries()[1] as HTMLElement);
    await rerender({
      connections: [
        { ...REFUSED, times: 5 },
        { ...LIVE, seconds: 11 },
      ],
    });
    expect(open()).toEqual([true, true]);
    await fireEvent.click(summaries()[0] as HTMLElement);
    await rerender({
      connections: [
        { ...REFUSED, times: 6 },
        { ...LIVE, seconds: 12 },
      ],
    });
    expect(open()).toEqual([false, true]);
  });

  it('tells how a connection ended', () => {
    show([{ ...LIVE, state: 'ended', ending: { at: 9, by: 'service', code: 1008, reason: 'start: came after stop' } }]);
    expect(screen.getByText(/Closed by this service with 1008/).textContent).toMatch(/came after stop/);
  });

  it('says what to do where there is none', () => {
    show([]);
    expect(screen.getByText('No connection yet.')).toBeTruthy();
  });
});
