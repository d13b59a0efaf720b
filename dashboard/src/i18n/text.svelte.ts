import { en } from './en';
import { zh, type Messages } from './zh';
import type { Bilingual } from '../wire/types';

export type Lang = 'zh' | 'en';

const CATALOGUES: Record<Lang, Messages> = { zh, en };
const KEPT_UNDER = 'callwarden.lang';

function firstLang(): Lang {
  const kept = localStorage.getItem(KEPT_UNDER);
  if (kept === 'zh' || kept === 'en') return kept;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

class Text {
  #lang = $state<Lang>(firstLang());

  get lang(): Lang {
    return this.#lang;
  }

  /** The words of the chosen language. */
  get m(): Messages {
    return CATALOGUES[this.#lang];
  }

  get locale(): string {
    return this.#lang === 'zh' ? 'zh-CN' : 'en-GB';
  }

  choose(lang: Lang): void {
    this.#lang = lang;
    localStorage.setItem(KEPT_UNDER, lang);
  }

  of(both: Bilingual): string {
    return both[this.#lang];
  }
}

export const text = new Text();
