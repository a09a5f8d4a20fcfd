// Variables as they are being filled in, and what of them is said to the server.

export type VariableType = 'text' | 'number' | 'choice' | 'secret' | 'host_list'
export const VARIABLE_TYPES: readonly VariableType[] = ['text', 'number', 'choice', 'secret', 'host_list']

export interface VariableDraft {
  name: string
  type: VariableType
  value: string
  choices: string
  hosts: number[]
}

export interface VariableRequest {
  type: VariableType
  value: string | number | number[]
  choices?: string[]
}

export type VariableBlocker = 'badVariable' | 'twiceVariable' | 'badNumber' | 'badChoice' | 'noHostsInVariable'

const NAME = /^[A-Za-z_]\w{0,127}$/
/** Names that would change how programs start; the server refuses the same. */
const RESERVED = /^(LD_|PYTHON|PERL|NODE_|RUBY|OPSJOB_|BASH_|GO)|^(PATH|IFS|ENV|PS4|SHELLOPTS|GCONV_PATH|PROMPT_COMMAND|HOME|USER|LOGNAME|SHELL)$/

export function emptyVariable(): VariableDraft {
  return { name: '', type: 'text', value: '', choices: '', hosts: [] }
}

export function isVariableName(name: string): boolean {
  return NAME.test(name) && !RESERVED.test(name)
}

export function choicesOf(typed: string): string[] {
  return [...new Set(typed.split(/[\n,，、]+/).map((one) => one.trim()).filter((one) => one !== ''))]
}

/** What is wrong with one of them. */
export function variableBlocker(draft: VariableDraft): VariableBlocker | null {
  if (!isVariableName(draft.name.trim())) return 'badVariable'
  if (draft.type === 'number' && (draft.value.trim() === '' || !Number.isFinite(Number(draft.value)))) return 'badNumber'
  if (draft.type === 'choice' && !choicesOf(draft.choices).includes(draft.value)) return 'badChoice'
  return draft.type === 'host_list' && draft.hosts.length === 0 ? 'noHostsInVariable' : null
}

/** The first thing wrong with any of them. */
export function variablesBlocker(drafts: readonly VariableDraft[]): VariableBlocker | null {
  const names = drafts.map((one) => one.name.trim())
  return drafts.map(variableBlocker).find((one) => one !== null) ?? (new Set(names).size < names.length ? 'twiceVariable' : null)
}

export function variablesRequest(drafts: readonly VariableDraft[]): Record<string, VariableRequest> | undefined {
  if (drafts.length === 0) return undefined
  return Object.fromEntries(drafts.map((draft) => [draft.name.trim(), requestOf(draft)]))
}

function requestOf(draft: VariableDraft): VariableRequest {
  if (draft.type === 'number') return { type: 'number', value: Number(draft.value) }
  if (draft.type === 'host_list') return { type: 'host_list', value: [...draft.hosts] }
  if (draft.type === 'choice') return { type: 'choice', value: draft.value, choices: choicesOf(draft.choices) }
  return { type: draft.type, value: draft.value }
}

/** The same without the values that nobody may find in this browser later. */
export function withoutSecrets(drafts: readonly VariableDraft[]): VariableDraft[] {
  return drafts.map((one) => (one.type === 'secret' ? { ...one, value: '' } : one))
}
