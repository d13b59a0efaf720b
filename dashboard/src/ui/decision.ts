import type { AlertState } from '../wire/types';

/** What a person may make of an alert. */
export type Decision = Exclude<AlertState, 'open'>;

/** Why a decision was not kept: somebody else was first, the role may not, the service did not take it. */
export type Refusal = 'stale' | 'forbidden' | 'failed';
