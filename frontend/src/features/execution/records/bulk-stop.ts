// Stops many executions with one order; a repeated request is the same order.
import { api, call } from '@/api/client'
import type { BulkStopped } from '@/api/plan-types'
import { SubmitKey } from '@/api/submit-key'

const submitKey = new SubmitKey()

export async function stopMany(ids: string[]): Promise<BulkStopped> {
  const body = { execution_ids: ids }
  const headers = { 'Idempotency-Key': submitKey.for(body) }
  const answer = await call(api.POST('/api/executor/execution-records/bulk_stop/', { body, headers }))
  submitKey.settle()
  return answer
}
