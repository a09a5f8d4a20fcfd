// A transfer as it is being filled in: files from here, from the library or from another host go to hosts picked now,
// or files are fetched from them.
import type { ExecutionPlan, PlanStep } from '@/api/plan-types'
import {
  type CollectDraft, collectBlocker, collectRequest, emptyCollect, emptyPush, isAbsolute, linesOf, type PushDraft, pushBlocker, pushRequest, type TransferBlocker,
} from '@/ui/files/transfer'
import type { PickedGroup, PickedHost } from '@/ui/hosts/host-list'
import { emptyStrategy, strategyBlocker, type StrategyDraft, strategyRequest } from '@/ui/run/strategy'

export const TABS = ['send', 'collect', 'stored'] as const
export type Direction = 'send' | 'collect'
const TIMEOUT_SECONDS = 3_600

/** A file, folder or pattern on a host, which goes from there to the picked hosts. */
export interface RemoteSource {
  key: number
  host: number | null
  path: string
  excludes: string
}

export interface TransferDraft {
  push: PushDraft
  remotes: RemoteSource[]
  collect: CollectDraft
  hosts: PickedHost[]
  groups: PickedGroup[]
  strategy: StrategyDraft
  runAs: string
  timeout: number
}

export type Blocker = TransferBlocker | 'noHosts' | 'badBatches' | 'noSourceHost' | 'noSourcePath'

export const emptyTransfer = (): TransferDraft => ({
  push: emptyPush(), remotes: [], collect: emptyCollect(), hosts: [], groups: [], strategy: emptyStrategy(), runAs: '', timeout: TIMEOUT_SECONDS,
})

export const emptyRemote = (key: number): RemoteSource => ({ key, host: null, path: '', excludes: '' })

function remoteBlocker(remotes: readonly RemoteSource[]): Blocker | null {
  if (remotes.some((one) => one.host === null)) return 'noSourceHost'
  if (remotes.some((one) => one.path.trim() === '')) return 'noSourcePath'
  return remotes.every((one) => isAbsolute(one.path)) ? null : 'relativePath'
}

export function transferBlocker(draft: TransferDraft, direction: Direction): Blocker | null {
  const what = direction === 'send' ? (remoteBlocker(draft.remotes) ?? pushBlocker(draft.push, draft.remotes.length)) : collectBlocker(draft.collect)
  if (what) return what
  return draft.hosts.length + draft.groups.length === 0 ? 'noHosts' : strategyBlocker(draft.strategy)
}

/** What is fetched from a host is packed there and unpacked on each target: one step for each, before the sending. */
function fetchStep(remote: RemoteSource, name: string, draft: TransferDraft): PlanStep {
  const excludes = linesOf(remote.excludes.replaceAll(',', '\n'))
  return {
    name, kind: 'collect', timeout: draft.timeout,
    ...(remote.host === null ? {} : { target_host_ids: [remote.host] }),
    file: { paths: [remote.path.trim()], ...(excludes.length > 0 ? { excludes } : {}), ...(draft.push.perHost === null ? {} : { bandwidth_limit: draft.push.perHost }) },
  }
}

function stepsOf(draft: TransferDraft, direction: Direction, name: string): PlanStep[] {
  const common = { name, timeout: draft.timeout, ...(draft.runAs.trim() === '' ? {} : { run_as: draft.runAs.trim() }) }
  if (direction === 'collect') return [{ ...common, kind: 'collect', file: collectRequest(draft.collect) }]
  const fetches = draft.remotes.map((remote, index) => fetchStep(remote, `${name} ← ${index + 1}`, draft))
  const file = pushRequest(draft.push)
  return [...fetches, { ...common, kind: 'push', file: { ...file, sources: [...file.sources, ...fetches.map((one) => ({ step: one.name }))] } }]
}

export function transferRequest(draft: TransferDraft, direction: Direction, name: string): ExecutionPlan {
  const strategy = strategyRequest(draft.strategy)
  return {
    name,
    steps: stepsOf(draft, direction, name),
    ...(draft.hosts.length > 0 ? { target_host_ids: draft.hosts.map((host) => host.id) } : {}),
    ...(draft.groups.length > 0 ? { target_group_ids: draft.groups.map((group) => group.id) } : {}),
    ...(strategy ? { strategy } : {}),
  }
}

/** At most; a picked host may also be in a picked group. */
export function hostCount(draft: TransferDraft): number {
  return draft.hosts.length + draft.groups.reduce((sum, group) => sum + group.host_count, 0)
}
