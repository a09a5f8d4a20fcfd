// What the list of executions can be narrowed to.

export const TYPES = ['quick_script', 'quick_file_transfer', 'job_workflow', 'scheduled_job'] as const
export const SPANS = ['hour', 'today', 'week', 'month'] as const
export type Span = (typeof SPANS)[number]

/** When a span that ends now began: an hour ago, this day's midnight, seven or thirty days ago; a minute sharp, so that the same question stays the same. */
export function spanStart(span: Span, now: Date): Date {
  const start = new Date(now)
  start.setSeconds(0, 0)
  if (span === 'hour') start.setHours(start.getHours() - 1)
  else if (span === 'today') start.setHours(0, 0)
  else start.setDate(start.getDate() - (span === 'week' ? 7 : 30))
  return start
}
