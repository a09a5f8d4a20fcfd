import { describe, expect, it } from 'vitest'
import { stepOrders, survivorsOf } from '@/features/execution/live/control'
import type { ExecutionDetail, StepRow, TaskRow } from '@/api/types'

const run = (more: Partial<ExecutionDetail> = {}) => ({ status: 'running', cancel_requested_at: null, ...more }) as ExecutionDetail
const step = (more: Partial<StepRow>) => ({ kind: 'script', status: 'running', ...more }) as StepRow

describe('what may be done to a step', () => {
  it('is asked for an answer only while it waits for one', () => {
    expect(stepOrders(run({ status: 'paused' }), step({ kind: 'confirm', status: 'paused' }))).toEqual(['confirm', 'refuse', 'skip'])
    expect(stepOrders(run(), step({ kind: 'confirm', status: 'success' }))).toEqual([])
  })

  it('may be skipped until it has ended', () => {
    expect(stepOrders(run(), step({ status: 'pending' }))).toEqual(['skip'])
    expect(stepOrders(run(), step({ status: 'success' }))).toEqual(['retryAll'])
  })

  it('may be ignored or tried again after a failure, also when the run is over', () => {
    expect(stepOrders(run({ status: 'failed' }), step({ status: 'failed' }))).toEqual(['ignore', 'retryFailed', 'retryAll'])
  })

  it('does not go on while the run is being stopped', () => {
    const stopping = run({ cancel_requested_at: '2026-11-22T10:00:00Z' })
    expect(stepOrders(stopping, step({ status: 'pending' }))).toEqual([])
    expect(stepOrders(stopping, step({ kind: 'confirm', status: 'paused' }))).toEqual([])
  })
})

describe('what a stop left behind', () => {
  it('is told only when something was signalled or is left', () => {
    const task = (processes: unknown) => ({ processes }) as TaskRow
    expect(survivorsOf(task(null))).toBeNull()
    expect(survivorsOf(task({ found: 3, signalled: 0, left: 0 }))).toBeNull()
    expect(survivorsOf(task({ found: 3, signalled: 3, left: 1 }))).toEqual({ found: 3, signalled: 3, left: 1 })
  })
})
