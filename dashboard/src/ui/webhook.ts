/** A webhook as it is written in a form. Pure. */
import type { NewWebhook } from '../wire/types';

type Shape = NonNullable<NewWebhook['shape']>;

/** Shapes that a secret of the vendor's signs. */
const SIGNED_BY_VENDOR: readonly Shape[] = ['dingtalk', 'feishu'];

export const signedByVendor = (shape: Shape | undefined) => shape !== undefined && SIGNED_BY_VENDOR.includes(shape);

export const nothing = (language: NewWebhook['language']): NewWebhook => ({
  name: '',
  url: '',
  secret: '',
  shape: 'cloudevents',
  language,
  timezone: '',
  alerts_from: 'high',
  call_started: false,
  call_ended: false,
  digest_hour: null,
});

/** Without blanks around it, and without a secret that was written for another shape. */
export const saidOf = (draft: NewWebhook): NewWebhook => ({
  ...draft,
  name: draft.name.trim(),
  url: draft.url.trim(),
  secret: signedByVendor(draft.shape) ? (draft.secret ?? '').trim() : '',
});
