// Why orders and reports were refused, as agents and the platform name it (docs/protocol.md).

export const REASONS = [
  'bad_signature', 'root_changed', 'stream_entry_forged', 'report_for_other_agent', 'unsigned_order', 'order_for_other_agent', 'counter_replayed', 'key_unknown', 'key_revoked', 'key_expired',
  'purpose_not_allowed', 'purpose_unknown', 'order_invalid', 'order_not_yet_valid', 'order_expired', 'no_trust_yet', 'trust_damaged', 'bundle_outdated', 'bundle_unreadable', 'unreadable_frame',
  'result_bad_signature', 'result_bad_payload', 'result_not_its_agent', 'result_not_its_task',
] as const

/** Somebody tries, or a key is in wrong hands; the others also come from clocks and old programs. */
export const ALARMING: ReadonlySet<string> = new Set([
  'bad_signature', 'root_changed', 'stream_entry_forged', 'report_for_other_agent', 'order_for_other_agent', 'counter_replayed', 'key_revoked', 'result_bad_signature', 'result_not_its_agent', 'result_not_its_task',
])
