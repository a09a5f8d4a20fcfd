// What pressing Run would do, or why it cannot be pressed yet. The page turns this into one sentence.
import type { AgentStatus, QuickScript, ScriptType } from '@/api/types'
import { parseArguments } from './arguments'

export interface PickedHost {
  id: number
  name: string
  agent_status: AgentStatus
}

export interface Draft {
  script: string
  language: ScriptType
  timeout: number
  runAs: string
  args: string
  hosts: PickedHost[]
}

export type Blocker = 'noHosts' | 'noScript' | 'badTimeout' | 'openQuote'

export interface Plan {
  blocker: Blocker | null
  hosts: number
  /** Hosts that cannot start at once; they wait until their agent comes back. */
  waiting: number
  /** Hosts that no agent serves; nothing will start there. */
  agentless: number
}

export const LONGEST_TIMEOUT = 86_400
export const DEFAULT_TIMEOUT = 300

export function emptyDraft(): Draft {
  return { script: '', language: 'shell', timeout: DEFAULT_TIMEOUT, runAs: '', args: '', hosts: [] }
}

export function planOf(draft: Draft): Plan {
  return {
    blocker: blockerOf(draft),
    hosts: draft.hosts.length,
    waiting: draft.hosts.filter((host) => host.agent_status === 'offline').length,
    agentless: draft.hosts.filter((host) => host.agent_status === 'none' || host.agent_status === 'disabled').length,
  }
}

function blockerOf(draft: Draft): Blocker | null {
  if (draft.hosts.length === 0) return 'noHosts'
  if (draft.script.trim() === '') return 'noScript'
  if (!Number.isInteger(draft.timeout) || draft.timeout < 1 || draft.timeout > LONGEST_TIMEOUT) return 'badTimeout'
  return parseArguments(draft.args).unclosed ? 'openQuote' : null
}

/** Only what differs from the defaults is sent besides the script and its hosts. */
export function requestOf(draft: Draft): QuickScript {
  const { args } = parseArguments(draft.args)
  const runAs = draft.runAs.trim()
  return {
    script_content: draft.script,
    script_type: draft.language,
    target_host_ids: draft.hosts.map((host) => host.id),
    timeout: draft.timeout,
    ...(args.length > 0 ? { args } : {}),
    ...(runAs === '' ? {} : { run_as: runAs }),
  }
}
