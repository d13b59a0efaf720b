/** What people read: in both languages, whole, and nowhere but in the catalogues. */
import { parse, type AST } from 'svelte/compiler';
import { describe, expect, it } from 'vitest';
import { en } from '../src/i18n/en';
import { zh } from '../src/i18n/zh';
import * as wire from '../src/wire/types';
import openapi from '../openapi.json';

const SOURCES = import.meta.glob<string>('../src/**/*.svelte', { query: '?raw', import: 'default', eager: true });

describe('the components', () => {
  /** Attributes that people read or hear. */
  const READ = new Set(['title', 'alt', 'placeholder', 'aria-label', 'aria-description', 'label']);
  /** What is the same in every language: signs but those of a sentence, units, and a header. */
  const SAME = /^(?:[\s\d\p{S}·–…%/“”[\]-]|Hz|Authorization: Bearer|cw_)*$/u;

  /** The texts of a component that stand in it rather than in a catalogue. */
  function literals(source: string): string[] {
    const found: string[] = [];
    const visit = (node: unknown, read: boolean): void => {
      if (Array.isArray(node)) node.forEach((each) => visit(each, read));
      if (node === null || typeof node !== 'object' || !('type' in node)) return;
      const at = node as AST.SvelteNode;
      if (at.type === 'StyleSheet' || at.type === 'StyleDirective' || at.type === 'Comment') return;
      if (at.type === 'Text') {
        if (read && !SAME.test(at.data)) found.push(at.data.trim());
        return;
      }
      const heard = at.type === 'Attribute' ? READ.has(at.name) : read;
      for (const child of Object.values(at)) visit(child, heard);
    };
    visit(parse(source, { modern: true }).fragment, true);
    return found;
  }

  it('have no words of their own', () => {
    const own = Object.entries(SOURCES).flatMap(([path, source]) => literals(source).map((said) => `${path}: ${said}`));
    expect(own).toEqual([]);
  });

  it('would be told of', () => {
    expect(literals('<p title="Hint" class="quiet">Words {text.m.app} · 1</p>')).toEqual(['Hint', 'Words']);
    expect(literals('<input placeholder="{a}: name" type="text" /><b>–</b>（{b}）')).toEqual([': name', '（', '）']);
  });
});

type Told = string | ((...given: string[]) => string);

/** Every text of a catalogue by its path, those that take something with it put in. */
function texts(catalogue: object): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (words: object, path: string) => {
    for (const [key, told] of Object.entries(words) as [string, Told | object][]) {
      const here = `${path}${key}`;
      if (typeof told === 'object') visit(told, `${here}.`);
      else found.set(here, typeof told === 'string' ? told : told('⟨0⟩', '⟨1⟩', '⟨2⟩'));
    }
  };
  visit(catalogue, '');
  return found;
}

describe('the catalogues', () => {
  const chinese = texts(zh);
  const english = texts(en);
  /** Names, signs and examples that are the same in both. */
  const SAME = new Set([
    'alert.by',
    'sources.networksHint',
    'wall.said',
    'common.named',
    'common.beside',
    'webhooks.urlHint',
  ]);

  it('say the same, with the same put in, and leave nothing empty', () => {
    expect([...english.keys()]).toEqual([...chinese.keys()]);
    const given = (said: string) => [...new Set(said.match(/⟨\d⟩/g))].sort();
    for (const [path, said] of chinese) {
      expect(said.trim(), path).not.toBe('');
      expect(given(english.get(path)?.toLowerCase() ?? ''), path).toEqual(given(said));
    }
  });

  it('say it in their own language', () => {
    const han = /\p{Script=Han}/u;
    const untranslated = [...chinese].filter(([path, said]) => !han.test(said) && !SAME.has(path));
    expect(untranslated).toEqual([]);
    expect([...english].filter(([, said]) => /[\p{Script=Han}，。：；？！（）、]/u.test(said))).toEqual([]);
  });

  it('keep to the punctuation of Chinese', () => {
    expect(
      [...chinese].filter(([, said]) => /\p{Script=Han}\s*[,;:?!()]|[,;:?!()]\s*\p{Script=Han}/u.test(said)),
    ).toEqual([]);
  });
});

describe('what the service knows', () => {
  const schemas = openapi.components.schemas;

  it.each([
    ['severities', wire.SEVERITIES, schemas.Alert.properties.severity.enum],
    ['states of an alert', wire.ALERT_STATES, schemas.Alert.properties.state.enum],
    ['roles of a user', wire.USER_ROLES, schemas.Who.properties.role.enum],
    ['sides of a call', wire.ROLES, schemas.Alert.properties.role.enum],
    ['outcomes', wire.SAID, schemas.CallNote.properties.outcomes.items.enum],
    ['conduct', wire.CONDUCT, schemas.CallNote.properties.conduct.items.enum],
  ] as [string, readonly string[], readonly string[]][])('is all there: %s', (_, held, known) => {
    expect([...held].sort()).toEqual([...known].sort());
  });

  it('is asked of a password as it asks', () => {
    const { minLength, maxLength } = schemas.PasswordChange.properties.new;
    expect([wire.MIN_PASSWORD, wire.MAX_PASSWORD]).toEqual([minLength, maxLength]);
  });
});
