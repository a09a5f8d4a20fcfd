// What pressing Run would do, or why it cannot be pressed yet. The page turns this into one sentence.
import type { QuickScript, ScriptType } from '@/api/types'
import type { PickedGroup, PickedHost } from '@/ui/hosts/host-list'
import { parseArguments } from '@/ui/run/arguments'
import { emptyStrategy, strategyBlocker, type StrategyDraft, strategyRequest } from '@/ui/run/strategy'
import { type VariableBlocker, type VariableDraft, variablesBlocker, variablesRequest } from '@/ui/run/variables'

export interface Draft {
  script: string
  language: ScriptType
  timeout: number
  runAs: string
  args: string
  hosts: PickedHost[]
  groups: PickedGroup[]
  strategy: StrategyDraft
  retries: number
  retryDelay: number
  variables: VariableDraft[]
}

export type Blocker = 'noHosts' | 'noScript' | 'badTimeout' | 'openQuote' | 'badBatches' | VariableBlocker

export interface Plan {
  blocker: Blocker | null
  /** At most; a picked host may also be in a picked group. */
  hosts: number
  /** Hosts that cannot start at once; they wait until their agent comes back. */
  waiting: number
  /** Hosts that no agent serves; nothing will start there. */
  agentless: number
}

export const LONGEST_TIMEOUT = 86_400
export const DEFAULT_TIMEOUT = 300

export function emptyDraft(): Draft {
  return {
    script: '', language: 'shell', timeout: DEFAULT_TIMEOUT, runAs: '', args: '', hosts: [], groups: [], strategy: emptyStrategy(), retries: 0, retryDelay: 0, variables: [],
  }
}

export function planOf(draft: Draft): Plan {
  return {
    blocker: blockerOf(draft),
    hosts: draft.hosts.length + draft.groups.reduce((sum, group) => sum + group.host_count, 0),
    waiting: draft.hosts.filter((host) => host.agent_status === 'offline').length,
    agentless: draft.hosts.filter((host) => host.agent_status === 'none' || host.agent_status === 'disabled').length,
  }
}

function blockerOf(draft: Draft): Blocker | null {
  if (draft.hosts.length + draft.groups.length === 0) return 'noHosts'
  if (draft.script.trim() === '') return 'noScript'
  if (!Number.isInteger(draft.timeout) || draft.timeout < 1 || draft.timeout > LONGEST_TIMEOUT) return 'badTimeout'
  if (parseArguments(draft.args).unclosed) return 'openQuote'
  return strategyBlocker(draft.strategy) ?? variablesBlocker(draft.variables)
}

/** Only what differs from the defaults is sent besides the script and its hosts. */
export function requestOf(draft: Draft): QuickScript {
  const { args } = parseArguments(draft.args)
  const runAs = draft.runAs.trim()
  const strategy = strategyRequest(draft.strategy)
  const variables = variablesRequest(draft.variables)
  return {
    script_content: draft.script,
    script_type: draft.language,
    target_host_ids: draft.hosts.map((host) => host.id),
    timeout: draft.timeout,
    ...(args.length > 0 ? { args } : {}),
    ...(runAs === '' ? {} : { run_as: runAs }),
    ...(draft.groups.length > 0 ? { target_group_ids: draft.groups.map((group) => group.id) } : {}),
    ...(strategy ? { strategy } : {}),
    ...(variables ? { variables } : {}),
    ...(draft.retries > 0 ? { retries: draft.retries, retry_delay_seconds: draft.retryDelay } : {}),
  }
}
