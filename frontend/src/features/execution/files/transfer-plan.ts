// A transfer as it is being filled in: one step that sends or fetches files, on hosts picked now.
import type { ExecutionPlan } from '@/api/plan-types'
import { type CollectDraft, collectBlocker, collectRequest, emptyCollect, emptyPush, type PushDraft, pushBlocker, pushRequest, type TransferBlocker } from '@/ui/files/transfer'
import type { PickedGroup, PickedHost } from '@/ui/hosts/host-list'
import { emptyStrategy, strategyBlocker, type StrategyDraft, strategyRequest } from '@/ui/run/strategy'

export const TABS = ['send', 'collect', 'stored'] as const
export type Direction = 'send' | 'collect'
const TIMEOUT_SECONDS = 3_600

export interface TransferDraft {
  push: PushDraft
  collect: CollectDraft
  hosts: PickedHost[]
  groups: PickedGroup[]
  strategy: StrategyDraft
}

export const emptyTransfer = (): TransferDraft => ({ push: emptyPush(), collect: emptyCollect(), hosts: [], groups: [], strategy: emptyStrategy() })

export function transferBlocker(draft: TransferDraft, direction: Direction): TransferBlocker | 'noHosts' | 'badBatches' | null {
  const what = direction === 'send' ? pushBlocker(draft.push) : collectBlocker(draft.collect)
  if (what) return what
  return draft.hosts.length + draft.groups.length === 0 ? 'noHosts' : strategyBlocker(draft.strategy)
}

export function transferRequest(draft: TransferDraft, direction: Direction, name: string): ExecutionPlan {
  const work = direction === 'send' ? { kind: 'push' as const, file: pushRequest(draft.push) } : { kind: 'collect' as const, file: collectRequest(draft.collect) }
  const strategy = strategyRequest(draft.strategy)
  return {
    name,
    steps: [{ name, timeout: TIMEOUT_SECONDS, ...work }],
    ...(draft.hosts.length > 0 ? { target_host_ids: draft.hosts.map((host) => host.id) } : {}),
    ...(draft.groups.length > 0 ? { target_group_ids: draft.groups.map((group) => group.id) } : {}),
    ...(strategy ? { strategy } : {}),
  }
}

/** At most; a picked host may also be in a picked group. */
export function hostCount(draft: TransferDraft): number {
  return draft.hosts.length + draft.groups.reduce((sum, group) => sum + group.host_count, 0)
}
