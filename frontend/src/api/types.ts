// Short names for the generated schemas, so that a renamed schema changes one file.
import type { components } from './schema'

type Schemas = components['schemas']

export type User = Schemas['MeOut']
export type HostRow = Schemas['HostOut']
export type GroupRow = Schemas['HostsGroupOut']
export type AgentRow = Schemas['AgentOut']
export type AgentStatus = HostRow['agent_status']
export type QuickScript = Schemas['ScriptRun']
export type ScriptType = NonNullable<QuickScript['script_type']>
export type ExecutionAccepted = Schemas['Accepted']
export type ExecutionRow = Schemas['ExecutionOut']
export type ExecutionDetail = Schemas['ExecutionDetail']
export type ExecutionStatus = ExecutionRow['status']
export type StepRow = Schemas['StepOut']
export type OperationRow = Schemas['OperationOut']
export type TaskRow = Schemas['TaskOut']
export type TaskStatus = TaskRow['status']

export interface Page<T> {
  total: number
  page: number
  page_size: number
  results: T[]
}

export const SCRIPT_TYPES: readonly ScriptType[] = ['shell', 'python', 'javascript', 'perl', 'powershell', 'go']
export const AGENT_STATUSES: readonly AgentStatus[] = ['online', 'offline', 'disabled', 'quarantined', 'none']
export const EXECUTION_STATUSES: readonly ExecutionStatus[] = [
  'pending', 'running', 'paused', 'success', 'failed', 'cancelled', 'timeout', 'lost', 'expired',
]
/** In the order of the bar on the execution page: what is wrong first, then what works, then what waits. */
export const TASK_STATUSES: readonly TaskStatus[] = [
  'failed', 'rejected', 'timeout', 'lost', 'expired', 'running', 'success', 'cancelled', 'claimed', 'offered', 'queued', 'pending', 'skipped',
]

const OPEN_EXECUTIONS: ReadonlySet<string> = new Set(['pending', 'running', 'paused'])
const OPEN_TASKS: ReadonlySet<string> = new Set(['pending', 'queued', 'offered', 'claimed', 'running'])
const BAD_TASKS: ReadonlySet<string> = new Set(['failed', 'rejected', 'timeout', 'lost', 'expired'])

export const isExecutionOpen = (status: string): boolean => OPEN_EXECUTIONS.has(status)
export const isTaskOpen = (status: string): boolean => OPEN_TASKS.has(status)
export const isTaskBad = (status: string): boolean => BAD_TASKS.has(status)
