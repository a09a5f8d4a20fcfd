// The orders that may be given to an execution: each asks the server once and answers with what is true then.
import { api, call } from '@/api/client'
import type { ExecutionDetail, StepRow, TaskRow } from '@/api/types'
import { isExecutionOpen } from '@/api/types'

export type RetryHosts = 'failed_only' | 'all'

export interface Orders {
  pause: () => Promise<unknown>
  resume: () => Promise<unknown>
  stop: () => Promise<unknown>
  force: () => Promise<unknown>
  cancelTask: (taskId: string) => Promise<unknown>
  skip: (stepId: string) => Promise<unknown>
  ignore: (stepId: string) => Promise<unknown>
  retryStep: (stepId: string, hosts: RetryHosts) => Promise<unknown>
  confirm: (step: StepRow, approve: boolean) => Promise<unknown>
  /** The id of the new execution. */
  again: (onlyFailed: boolean) => Promise<string>
}

/** A repeated request with the same key is the same order. */
const key = (): Record<string, string> => ({ 'Idempotency-Key': crypto.randomUUID() })

export function ordersFor(id: string): Orders {
  const path = { execution_id: id }
  const headers = key
  const base = '/api/executor/execution-records/{execution_id}'
  return {
    pause: () => call(api.POST(`${base}/pause/`, { params: { path }, headers: headers(), body: {} })),
    resume: () => call(api.POST(`${base}/resume/`, { params: { path }, headers: headers(), body: {} })),
    stop: () => call(api.POST(`${base}/cancel/`, { params: { path }, headers: headers(), body: {} })),
    force: () => call(api.POST(`${base}/force_terminate/`, { params: { path }, headers: headers(), body: {} })),
    cancelTask: (task_id) => call(api.POST(`${base}/tasks/{task_id}/cancel/`, { params: { path: { ...path, task_id } }, headers: headers(), body: {} })),
    skip: (step_id) => call(api.POST(`${base}/steps/{step_id}/skip/`, { params: { path: { ...path, step_id } }, headers: headers(), body: {} })),
    ignore: (step_id) => call(api.POST(`${base}/ignore_step_error/`, { params: { path }, headers: headers(), body: { step_id } })),
    retryStep: (step_id, retry_type) => call(api.POST(`${base}/retry_step/`, { params: { path }, headers: headers(), body: { step_id, retry_type } })),
    confirm: (step, approve) => {
      const body = { approve, ...(step.kind === 'confirm' ? {} : { batch: step.batch_no }) }
      return call(api.POST(`${base}/steps/{step_id}/confirm/`, { params: { path: { ...path, step_id: step.id } }, headers: headers(), body }))
    },
    again: async (onlyFailed) => {
      const body = { retry_type: onlyFailed ? ('failed_only' as const) : ('full' as const) }
      const made = await call(api.POST(`${base}/retry/`, { params: { path }, headers: headers(), body }))
      return made.execution_id
    },
  }
}

export type StepOrder = 'confirm' | 'refuse' | 'skip' | 'ignore' | 'retryFailed' | 'retryAll'

/** Steps with nothing behind them that could still change. */
const ENDED = new Set(['success', 'failed', 'skipped', 'cancelled', 'timeout', 'lost', 'expired'])
const BAD = new Set(['failed', 'timeout', 'lost', 'expired', 'cancelled'])

export function waitsForAnswer(step: StepRow): boolean {
  return step.status === 'paused'
}

/** What a confirmation asks, in the words of who wrote the step. */
export function questionOf(step: StepRow): string {
  const confirm = step.payload?.confirm as { message?: unknown } | undefined
  return typeof confirm?.message === 'string' ? confirm.message : ''
}

/** What may be done to a step as it stands now; the server has the last word. */
export function stepOrders(execution: ExecutionDetail, step: StepRow): StepOrder[] {
  const stopping = execution.cancel_requested_at != null
  const found: StepOrder[] = []
  if (waitsForAnswer(step) && !stopping) found.push('confirm', 'refuse')
  if (!ENDED.has(step.status) && isExecutionOpen(execution.status) && !stopping) found.push('skip')
  if (BAD.has(step.status) && step.kind !== 'confirm') {
    if (!stopping) found.push('ignore')
    found.push('retryFailed')
  }
  if (ENDED.has(step.status) && step.status !== 'skipped' && step.kind !== 'confirm') found.push('retryAll')
  return found
}

export interface Survivors {
  found: number
  signalled: number
  left: number
}

/** What a stop found on a host, if the host has told. */
export function survivorsOf(task: TaskRow): Survivors | null {
  const told = task.processes
  if (told == null || !(Number(told.signalled) > 0 || Number(told.left) > 0)) return null
  return { found: Number(told.found), signalled: Number(told.signalled), left: Number(told.left) }
}
