// How hosts follow each other, as it is being filled in, and what of it is said to the server.

export type Mode = 'parallel' | 'serial' | 'rolling'
export type Ask = 'none' | 'first' | 'each'
export type HostOrder = 'request' | 'name' | 'ip' | 'random'
export type Tolerance = 'default' | 'hosts' | 'percent'
export type ThresholdAction = 'stop' | 'pause' | 'ignore'

export const MODES: readonly Mode[] = ['parallel', 'serial', 'rolling']
export const ASKS: readonly Ask[] = ['none', 'first', 'each']
export const ORDERS: readonly HostOrder[] = ['request', 'name', 'ip', 'random']
export const TOLERANCES: readonly Tolerance[] = ['default', 'hosts', 'percent']
export const ACTIONS: readonly ThresholdAction[] = ['stop', 'pause', 'ignore']

export interface StrategyDraft {
  mode: Mode
  concurrency: number | null
  /** Sizes of the batches as typed: 1, 10, 50% */
  batches: string
  delaySeconds: number
  ask: Ask
  canary: number | null
  order: HostOrder
  tolerance: Tolerance
  tolerated: number
  action: ThresholdAction
}

export interface StrategyRequest {
  mode: Mode
  concurrency?: number
  batches?: string[]
  batch_delay_seconds?: number
  confirm_between?: Ask
  canary?: number
  order?: HostOrder
  failure_threshold?: { hosts?: number; percent?: number; action: ThresholdAction }
}

const SIZE = /^([1-9]\d{0,4}|([1-9]\d?|100)%)$/
const MOST_BATCHES = 50

export function emptyStrategy(): StrategyDraft {
  return {
    mode: 'parallel', concurrency: null, batches: '1, 10, 50%', delaySeconds: 0, ask: 'none', canary: null, order: 'request', tolerance: 'default', tolerated: 0, action: 'stop',
  }
}

/** The sizes that are meant, or null when what was typed is none. */
export function batchSizes(typed: string): string[] | null {
  const sizes = typed.split(/[\s,，、;；→]+/).map((one) => one.replace('％', '%')).filter((one) => one !== '')
  return sizes.length > 0 && sizes.length <= MOST_BATCHES && sizes.every((one) => SIZE.test(one)) ? sizes : null
}

export function hasBatches(draft: StrategyDraft): boolean {
  return draft.mode !== 'parallel' || draft.canary !== null
}

export function strategyBlocker(draft: StrategyDraft): 'badBatches' | null {
  return draft.mode === 'rolling' && batchSizes(draft.batches) === null ? 'badBatches' : null
}

/** Nothing when everything is as it would be anyway. */
export function strategyRequest(draft: StrategyDraft): StrategyRequest | undefined {
  const request: StrategyRequest = { mode: draft.mode }
  if (draft.concurrency !== null) request.concurrency = draft.concurrency
  if (draft.mode === 'rolling') request.batches = batchSizes(draft.batches) ?? []
  if (draft.canary !== null) request.canary = draft.canary
  if (hasBatches(draft)) {
    if (draft.delaySeconds > 0) request.batch_delay_seconds = draft.delaySeconds
    if (draft.ask !== 'none') request.confirm_between = draft.ask
  }
  if (draft.order !== 'request') request.order = draft.order
  if (draft.tolerance !== 'default') request.failure_threshold = { [draft.tolerance]: draft.tolerated, action: draft.action }
  const { mode, ...rest } = request
  return mode === 'parallel' && Object.keys(rest).length === 0 ? undefined : request
}
