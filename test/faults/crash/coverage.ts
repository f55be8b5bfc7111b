import type { Kill } from './protocol.js';

/** How a crash test comes to a stored step. */
interface Way {
  /** Stories of stories.ts that store it; one of them is drawn. */
  readonly stories?: readonly string[];
  /** Or a command of commands.ts, in which the user's side dies. */
  readonly command?: string;
  /** It is stored only after another crash. */
  readonly first?: Kill;
}

const after = (point: string): Kill => ({ point, when: 'after', nth: 1 });
const before = (point: string): Kill => ({ point, when: 'before', nth: 1 });
const by = (...stories: string[]): Way => ({ stories });

/** Every stored step has its line; points.spec.ts compares with the source. */
export const coverage: Readonly<Record<string, Way>> = {
  'user purchase: burn intended': { command: 'buy' },
  'user purchase: burn sent': { command: 'buy' },
  'user purchase: burn given up': { command: 'buyRefusedOnce' },
  'user purchase: burn found': { command: 'buy', first: before('user purchase: burn sent') },
  'user purchase: found unpaid': { command: 'buy', first: after('user purchase: burn intended') },
  'user purchase: confirmation written': { command: 'buy' },
  'user purchase: confirmation written anew': { command: 'buyLate', first: after('user purchase: confirmation written') },
  'user purchase: finished': { command: 'buy' },
  'user inference: burn intended': { command: 'infer' },
  'user inference: burn sent': { command: 'infer' },
  'user inference: burn given up': { command: 'inferRefusedOnce' },
  'user inference: burn found': { command: 'infer', first: before('user inference: burn sent') },
  'user inference: found unpaid': { command: 'infer', first: after('user inference: burn intended') },
  'user inference: burn refused': { command: 'inferAfterAnother', first: after('user inference: burn sent') },
  'user inference: found burn refused': { command: 'inferBesideAnother', first: after('user inference: burn intended') },
  'user inference: result kept': { command: 'infer' },
  'user inference: finished': { command: 'infer' },

  'purchase: quote stored': by('purchase'),
  'purchase: rejection stored': by('rejected'),
  'purchase: declined': by('declined'),
  'purchase: lapsed': by('lapsed'),
  'purchase: accepted': by('purchase'),
  'purchase: terminated': by('terminated'),
  'purchase: agreed': by('purchase'),
  'purchase: overdue': by('overdue'),
  'purchase: burn claimed': by('purchase'),
  'purchase: burn confirmed': by('purchase'),
  'purchase: registration begun': by('purchase'),
  'purchase: note stored': by('purchase'),
  'purchase: completed': by('purchase'),
  'purchase: failed': by('failed'),
  'purchase: dead ends deleted': by('purchase'),
  'purchase outbox: attempt counted': by('purchase'),
  'purchase outbox: delivery noted': by('purchase'),
  'purchase peer: vote stored': by('purchaseElsewhere'),
  'purchase peer: vote taken back': by('oneAddressTwice'),
  'purchase peer: offer stored': by('purchaseElsewhere'),
  'purchase peer: confirmation noted': by('purchaseElsewhere'),
  'purchase peer: completion noted': by('purchaseElsewhere'),
  'purchase peer: old messages deleted': by('purchaseElsewhere'),

  'storage retry: request stored': by('storedByPatient'),
  'storage retry: registration noted': by('storedByPatient'),
  'storage retry: answer stored': by('storedByPatient'),
  'storage retry: announced copy stored': by('storedByOther'),

  'ledger: tickets of a block stored': by('purchase', 'purchaseElsewhere'),
  'ledger: undecided ticket judged again': by('undecided'),
  'ledger: refused tickets forgiven': by('forgiven'),
  'ledger: scan rewound': by('reorganised'),
  'ledger: burn scan advanced': by('infer'),
  'ledger: burns recorded': by('infer'),
  'ledger: vanished burns recorded': by('burnVanishes'),
  'ledger: burn claimed': by('infer', 'inferAgain', 'inferInVain'),
  'ledger: pack refresh noted': by('infer'),

  'inference: quote stored': by('infer'),
  'inference: quote expired': by('quoteExpires'),
  'inference: burn named': by('infer'),
  'inference: named burn forgotten': by('burnOfAnother'),
  'inference: named burn postponed': by('burnNowhere'),
  'inference: burn accepted': by('infer'),
  'inference: burn refused with a note': by('burnTooLarge'),
  'inference: attempt begun': by('infer', 'inferAgain'),
  'inference: attempt given back': by('inferAgain'),
  'inference: lapsed attempt handed back': { stories: ['infer'], first: after('inference: attempt begun') },
  'inference: lease renewed': by('inferSlowly'),
  'inference: result stored': by('infer'),
  'inference: handed-in result stored': by('handedIn'),
  'inference: failure stored': by('inferInVain'),
  'inference: credit note accepted': by('paidByNote'),
  'inference: old messages deleted': by('longAfter'),

  'announcement: attempt counted': by('infer'),
  'announcement: deliveries noted': by('infer'),
  'announcement: copy stored': by('inferElsewhere'),
  'announcement: old ones deleted': by('longAfter'),
  'announcement: old copies deleted': by('longAfter'),

  'message sweep: message stored': by('received', 'inferElsewhere'),
  'message sweep: rejection stored': by('received'),
  'message sweep: deferral stored': by('deferred'),
  'message sweep: deferred forgotten': by('deferred'),
  'message dispatch: attempt counted': by('received'),
  'message dispatch: handled noted': by('received'),
  'message dispatch: failure noted': by('received'),
  'message relay: attempt counted': by('ofUser'),
  'message relay: deliveries noted': by('ofUser'),
  'user message: message stored': by('ofUser'),
  'message retention: limit stored': by('longAfter'),
  'message retention: messages deleted': by('longAfter'),
  'message retention: rejected deleted': by('longAfter'),
  'message retention: deferred deleted': by('longAfter'),
  'message retention: dispatches deleted': by('longAfter'),
  'message retention: user messages deleted': by('longAfter'),
  'message retention: relays deleted': by('longAfter'),

  'lease: made': by('leads'),
  'lease: renewed': by('leads'),
  'lease: given back': by('leads'),
  'lease: taken': by('leads'),

  'challenge: issued': by('infer'),
  'challenge: used': by('infer'),
  'challenge: wrong signature counted': by('wrongSignature'),
  'challenge: expired deleted': by('purchase'),

  'reputation: benchmark stored': by('longAfter'),
  'reputation: peers stored': by('longAfter'),
  'reputation: old peers deleted': by('longAfter'),
  'reputation: rating stored': by('inferElsewhere'),
  'reputation: standings stored': by('longAfter'),
  'reputation: old standings deleted': by('longAfter'),
};
