// A run of many steps as it is being filled in: what would be sent, or why it cannot be sent yet.
import type { ExecutionPlan, PlanStep } from '@/api/plan-types'
import type { ScriptType } from '@/api/types'
import {
  type CollectDraft, collectBlocker, collectRequest, emptyCollect, emptyPush, type PushDraft, pushBlocker, pushRequest, type TransferBlocker,
} from '@/ui/files/transfer'
import type { PickedGroup, PickedHost } from '@/ui/hosts/host-list'
import { parseArguments } from '@/ui/run/arguments'
import { emptyStrategy, strategyBlocker, type StrategyDraft, strategyRequest } from '@/ui/run/strategy'
import { type VariableBlocker, type VariableDraft, variablesBlocker, variablesRequest } from '@/ui/run/variables'

export type StepKind = 'script' | 'push' | 'collect' | 'confirm'
export const STEP_KINDS: readonly StepKind[] = ['script', 'push', 'collect', 'confirm']
export const MOST_STEPS = 50

export type ConditionKind = 'always' | 'step' | 'variable'
export const CONDITIONS: readonly ConditionKind[] = ['always', 'step', 'variable']
export const STEP_ENDS = ['success', 'failed', 'skipped', 'any_failed'] as const
export const COMPARISONS = ['equals', 'not_equals'] as const

export interface StepDraft {
  /** Other steps name this one by its key, so that a new name breaks nothing. */
  key: number
  name: string
  kind: StepKind
  script: string
  language: ScriptType
  args: string
  env: { name: string; value: string }[]
  runAs: string
  cwd: string
  timeout: number
  retries: number
  retryDelay: number
  ignoreError: boolean
  successCodes: string
  condition: { kind: ConditionKind; step: number | null; is: (typeof STEP_ENDS)[number]; variable: string; compare: (typeof COMPARISONS)[number]; value: string }
  onFailure: number | null
  isHandler: boolean
  hostsOf: { step: number | null; result: 'success' | 'failed' }
  confirm: { message: string; people: number[]; roles: string[]; expires: number }
  push: PushDraft
  collect: CollectDraft
}

export interface PlanDraft {
  name: string
  steps: StepDraft[]
  hosts: PickedHost[]
  groups: PickedGroup[]
  strategy: StrategyDraft
  variables: VariableDraft[]
  priority: number
  deadline: number | null
}

export type StepBlocker = TransferBlocker | 'noName' | 'sameName' | 'noScript' | 'openQuote' | 'badCodes' | 'badEnv' | 'noCondition' | 'unusedHandler'
export type PlanBlocker = 'noHosts' | 'noSteps' | 'onlyHandlers' | 'badBatches' | VariableBlocker

const ENV_NAME = /^[A-Za-z_]\w*$/

export function emptyStep(key: number, kind: StepKind, name: string): StepDraft {
  return {
    key, name, kind, script: '', language: 'shell', args: '', env: [], runAs: '', cwd: '', timeout: kind === 'script' ? 300 : 3_600,
    retries: 0, retryDelay: 0, ignoreError: false, successCodes: '0',
    condition: { kind: 'always', step: null, is: 'success', variable: '', compare: 'equals', value: '' },
    onFailure: null, isHandler: false, hostsOf: { step: null, result: 'failed' },
    confirm: { message: '', people: [], roles: [], expires: 86_400 }, push: emptyPush(), collect: emptyCollect(),
  }
}

export function emptyPlan(firstName: string): PlanDraft {
  return { name: '', steps: [emptyStep(1, 'script', firstName)], hosts: [], groups: [], strategy: emptyStrategy(), variables: [], priority: 5, deadline: null }
}

export function nextKey(plan: PlanDraft): number {
  return Math.max(0, ...plan.steps.map((step) => step.key)) + 1
}

/** Steps that may be named in conditions of this one: those above it; for a handler every other one. */
export function stepsKnownTo(plan: PlanDraft, step: StepDraft): StepDraft[] {
  if (step.isHandler) return plan.steps.filter((one) => one !== step)
  return plan.steps.slice(0, plan.steps.indexOf(step)).filter((one) => !one.isHandler)
}

/** Exit codes as numbers, or null when what was typed is none. */
export function successCodes(typed: string): number[] | null {
  const codes = typed.split(/[\s,，、]+/).filter((one) => one !== '').map(Number)
  return codes.length > 0 && codes.every((code) => Number.isInteger(code) && code >= 0 && code <= 255) ? [...new Set(codes)] : null
}

function kindBlocker(step: StepDraft): StepBlocker | null {
  if (step.kind === 'push') return pushBlocker(step.push)
  if (step.kind === 'collect') return collectBlocker(step.collect)
  if (step.kind === 'confirm') return null
  if (step.script.trim() === '') return 'noScript'
  if (parseArguments(step.args).unclosed) return 'openQuote'
  return step.env.every((one) => ENV_NAME.test(one.name)) ? null : 'badEnv'
}

function conditionBlocker(step: StepDraft): StepBlocker | null {
  const { kind, step: other, variable } = step.condition
  const isMissing = (kind === 'step' && other === null) || (kind === 'variable' && variable.trim() === '')
  return isMissing ? 'noCondition' : null
}

export function stepBlocker(plan: PlanDraft, step: StepDraft): StepBlocker | null {
  const name = step.name.trim()
  if (name === '') return 'noName'
  if (plan.steps.some((one) => one !== step && one.name.trim() === name)) return 'sameName'
  if (successCodes(step.successCodes) === null) return 'badCodes'
  if (step.isHandler && !plan.steps.some((one) => one.onFailure === step.key)) return 'unusedHandler'
  return kindBlocker(step) ?? conditionBlocker(step)
}

/** The first thing that keeps the plan from being run; a step is named by its place. */
export function planBlocker(plan: PlanDraft): { what: PlanBlocker | StepBlocker; step: StepDraft | null } | null {
  if (plan.hosts.length + plan.groups.length === 0 && plan.steps.some((step) => step.kind !== 'confirm')) return { what: 'noHosts', step: null }
  if (plan.steps.length === 0) return { what: 'noSteps', step: null }
  if (plan.steps.every((step) => step.isHandler)) return { what: 'onlyHandlers', step: null }
  for (const step of plan.steps) {
    const what = stepBlocker(plan, step)
    if (what) return { what, step }
  }
  const what = strategyBlocker(plan.strategy) ?? variablesBlocker(plan.variables)
  return what ? { what, step: null } : null
}

/** Takes a step out, and every mention of it. */
export function withoutStep(plan: PlanDraft, step: StepDraft): void {
  plan.steps.splice(plan.steps.indexOf(step), 1)
  repairReferences(plan)
}

/** Mentions of steps that may not be named any more (gone, moved below, now a handler) are dropped. */
export function repairReferences(plan: PlanDraft): void {
  for (const step of plan.steps) {
    const known = new Set(stepsKnownTo(plan, step).map((one) => one.key))
    if (step.condition.step !== null && !known.has(step.condition.step)) Object.assign(step.condition, { kind: 'always', step: null })
    if (step.hostsOf.step !== null && !known.has(step.hostsOf.step)) step.hostsOf.step = null
    const isHandler = plan.steps.some((one) => one.key === step.onFailure && one.isHandler)
    if (step.onFailure !== null && (step.isHandler || !isHandler)) step.onFailure = null
  }
}

type Names = ReadonlyMap<number, string>

function conditionOf(step: StepDraft, names: Names): PlanStep['condition'] | undefined {
  const { kind, step: other, is, variable, compare, value } = step.condition
  if (kind === 'step' && other !== null) return { step: names.get(other) ?? '', is }
  if (kind === 'variable') return compare === 'equals' ? { variable: variable.trim(), equals: value } : { variable: variable.trim(), not_equals: value }
  return undefined
}

function workOf(step: StepDraft): Partial<PlanStep> {
  if (step.kind === 'push') return { file: pushRequest(step.push) }
  if (step.kind === 'collect') return { file: collectRequest(step.collect) }
  if (step.kind === 'confirm') {
    const { message, people, roles, expires } = step.confirm
    return { confirm: { message, expires_seconds: expires, ...(people.length > 0 ? { user_ids: people } : {}), ...(roles.length > 0 ? { roles } : {}) } }
  }
  const { args } = parseArguments(step.args)
  return {
    script_content: step.script, script_type: step.language,
    ...(args.length > 0 ? { args } : {}),
    ...(step.env.length > 0 ? { env: Object.fromEntries(step.env.map(({ name, value }) => [name, value])) } : {}),
    ...(step.cwd.trim() === '' ? {} : { cwd: step.cwd.trim() }),
  }
}

function settingsOf(step: StepDraft): Partial<PlanStep> {
  if (step.kind === 'confirm') return {}
  const codes = successCodes(step.successCodes) ?? [0]
  return {
    timeout: step.timeout,
    ...(step.runAs.trim() === '' ? {} : { run_as: step.runAs.trim() }),
    ...(step.retries > 0 ? { retries: step.retries, retry_delay_seconds: step.retryDelay } : {}),
    ...(step.ignoreError ? { ignore_error: true } : {}),
    ...(codes.join() === '0' ? {} : { success_codes: codes }),
  }
}

function stepRequest(step: StepDraft, names: Names): PlanStep {
  const condition = conditionOf(step, names)
  return {
    name: step.name.trim(), kind: step.kind, ...workOf(step), ...settingsOf(step),
    ...(condition ? { condition } : {}),
    ...(step.onFailure === null ? {} : { on_failure: names.get(step.onFailure) }),
    ...(step.isHandler ? { is_handler: true } : {}),
    ...(step.hostsOf.step === null || step.kind === 'confirm' ? {} : { hosts_of: { step: names.get(step.hostsOf.step) ?? '', result: step.hostsOf.result } }),
  }
}

export function planRequest(plan: PlanDraft): ExecutionPlan {
  const names: Names = new Map(plan.steps.map((step) => [step.key, step.name.trim()]))
  const strategy = strategyRequest(plan.strategy)
  const variables = variablesRequest(plan.variables)
  return {
    ...(plan.name.trim() === '' ? {} : { name: plan.name.trim() }),
    steps: plan.steps.map((step) => stepRequest(step, names)),
    ...(plan.hosts.length > 0 ? { target_host_ids: plan.hosts.map((host) => host.id) } : {}),
    ...(plan.groups.length > 0 ? { target_group_ids: plan.groups.map((group) => group.id) } : {}),
    ...(strategy ? { strategy } : {}),
    ...(variables ? { variables } : {}),
    ...(plan.priority === 5 ? {} : { priority: plan.priority }),
    ...(plan.deadline === null ? {} : { not_after_seconds: plan.deadline }),
  }
}

/** At most; a picked host may also be in a picked group. */
export function hostCount(plan: PlanDraft): number {
  return plan.hosts.length + plan.groups.reduce((sum, group) => sum + group.host_count, 0)
}
