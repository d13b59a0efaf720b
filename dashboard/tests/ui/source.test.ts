import { fireEvent, render, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { text } from '../../src/i18n/text.svelte';
import { changeOf, draftOf, NOTHING, swapped } from '../../src/ui/source';
import SourceForm from '../../src/ui/SourceForm.svelte';
import SourceList from '../../src/ui/SourceList.svelte';
import type { Source, SourceChange } from '../../src/wire/types';

const PBX: Source = {
  ...NOTHING,
  name: 'pbx',
  dialect: 'twilio',
  language: 'zh',
  labels: { team: '一组', site: 'a=b' },
  names: { agent: 'who' },
  networks: ['10.0.0.0/8', '203.0.113.7/32'],
  credential: { kind: 'header', name: 'x-token' },
  max_share: 0.5,
};

const fill = (label: string, value: string) => fireEvent.input(screen.getByLabelText(label), { target: { value } });

beforeEach(() => text.choose('en'));

describe('a source in a form', () => {
  it('comes back as it was, and no secret is said where none is written', () => {
    const { name, credential, ...known } = PBX;
    expect(name).toBe('pbx');
    expect(changeOf(draftOf(PBX))).toEqual({ ...known, credential });
  });

  it('is read line by line, without blanks', () => {
    const draft = {
      ...draftOf(NOTHING),
      labels: ' a = 1 \n\nb=2',
      networks: '\n 10.0.0.0/8 \n',
      timezone: ' Asia/Urumqi ',
    };
    expect(changeOf(draft)).toMatchObject({
      labels: { a: '1', b: '2' },
      networks: ['10.0.0.0/8'],
      timezone: 'Asia/Urumqi',
      dialect: null,
      names: {},
    });
  });

  it('is swapped there and back', () => {
    expect(swapped(NOTHING)).toEqual({ first_track: 'agent' });
    expect(swapped({ ...NOTHING, first_track: 'agent' })).toEqual({ first_track: 'customer' });
  });

  it('says the name of a credential only where it has one', () => {
    const draft = { ...draftOf(PBX), kind: 'twilio' as const, secret: 'x'.repeat(16) };
    expect(changeOf(draft).credential).toEqual({ kind: 'twilio', name: '', secret: 'x'.repeat(16) });
  });
});

describe('the form', () => {
  function show(source: Source, trouble = '') {
    const onsave = vi.fn<(name: string, change: SourceChange) => void>();
    const oncancel = vi.fn();
    render(SourceForm, { source, busy: false, trouble, onsave, oncancel });
    return { onsave, oncancel };
  }

  it('makes a new source of what is written', async () => {
    const { onsave } = show(NOTHING);
    await fill('Source', ' pbx-2 ');
    await fill('Agent', 'AgentNo');
    await fill('Connects from', '10.0.0.0/8');
    await fireEvent.submit(screen.getByRole('form'));
    expect(onsave).toHaveBeenCalledOnce();
    const [name, change] = onsave.mock.calls[0] ?? [];
    expect(name).toBe('pbx-2');
    expect(change).toMatchObject({
      first_track: 'customer',
      names: { agent: 'AgentNo' },
      networks: ['10.0.0.0/8'],
      credential: { kind: 'key', name: '' },
    });
  });

  it('keeps the name of one that is there, and shows its secret nowhere', () => {
    show(PBX);
    expect(screen.getByLabelText<HTMLInputElement>('Source').disabled).toBe(true);
    expect(screen.getByLabelText<HTMLInputElement>('Header, user or API key').value).toBe('x-token');
    const secret = screen.getByLabelText<HTMLInputElement>('Secret (16 characters at least)');
    expect([secret.type, secret.value, secret.required]).toEqual(['password', '', false]);
  });

  it('sends a secret that is written anew', async () => {
    const { onsave } = show(PBX);
    await fill('Secret (16 characters at least)', 'x'.repeat(32));
    await fireEvent.submit(screen.getByRole('form'));
    const credential = { kind: 'header', name: 'x-token', secret: 'x'.repeat(32) };
    expect(onsave).toHaveBeenCalledExactlyOnceWith('pbx', expect.objectContaining({ credential }));
  });

  it('asks for no secret where keys are enough', () => {
    show(NOTHING);
    expect(screen.queryByLabelText('Secret (16 characters at least)')).toBeNull();
  });

  it('tells why it was not kept, and is left without a change', async () => {
    const { onsave, oncancel } = show(PBX, 'networks are addresses');
    expect(screen.getByRole('alert').textContent).toBe('networks are addresses');
    await fireEvent.click(screen.getByRole('button', { name: 'Cancel' }));
    expect(oncancel).toHaveBeenCalledOnce();
    expect(onsave).not.toHaveBeenCalled();
  });
});

describe('the list', () => {
  function show(sources: Source[], busy = false) {
    const told = { onswap: vi.fn(), onedit: vi.fn(), onremove: vi.fn() };
    const placeOf = (source: Source) => `/admin/sources/${source.name}`;
    render(SourceList, { sources, busy, placeOf, ...told });
    return told;
  }

  it('shows each source in the words of the trade, and swaps the legs of the one that is asked for', async () => {
    text.choose('zh');
    const told = show([PBX, { ...NOTHING, name: 'pbx-2' }]);
    const [, first, second] = screen.getAllByRole('row');
    expect(first?.textContent).toMatch(/pbx.*twilio.*客户.*自定义请求头.*10\.0\.0\.0\/8, 203\.0\.113\.7\/32/s);
    expect(second?.textContent).toMatch(/pbx-2.*不限.*网关密钥.*不限/s);
    await fireEvent.click(screen.getAllByRole('button', { name: '对调声道' })[1] as HTMLElement);
    expect(told.onswap).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ name: 'pbx-2' }));
  });

  it('leads to a change and to an end', async () => {
    const told = show([PBX]);
    await fireEvent.click(screen.getByRole('button', { name: 'Change' }));
    await fireEvent.click(screen.getByRole('button', { name: 'Remove' }));
    expect([told.onedit.mock.calls, told.onremove.mock.calls]).toEqual([[[PBX]], [[PBX]]]);
    expect(told.onswap).not.toHaveBeenCalled();
  });

  it('leads to what comes over each source', () => {
    show([PBX]);
    expect(screen.getByRole('link', { name: 'pbx' }).getAttribute('href')).toBe('/admin/sources/pbx');
  });

  it('says so where there is none', () => {
    show([]);
    expect(screen.getByText('No source yet.')).toBeTruthy();
  });
});
