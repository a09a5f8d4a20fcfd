// A rule as it is edited, and what is sent of it.
import type { BodyOf, ContentOf } from '@/api/contents'
import type { RuleWords } from '@/ui/run/shipped-rules'

export type Rule = ContentOf<'/api/executor/command_rules/', 'get'>['results'][number]
export type RuleBody = BodyOf<'/api/executor/command_rules/', 'post'>

export const ACTIONS = ['warn', 'approve', 'block'] as const
export const KINDS = ['regex', 'words', 'anything'] as const
const HOUR = 3_600

export interface RuleDraft {
  name: string
  description: string
  kind: (typeof KINDS)[number]
  pattern: string
  types: Rule['script_types']
  action: (typeof ACTIONS)[number]
  enabled: boolean
  groups: number[]
  approvers: number[]
  approverGroups: number[]
  quorum: number
  hours: number
}

export function emptyDraft(): RuleDraft {
  return {
    name: '', description: '', kind: 'regex', pattern: '', types: [], action: 'warn', enabled: true, groups: [],
    approvers: [], approverGroups: [], quorum: 1, hours: 24,
  }
}

export function draftOf(rule: Rule, words: RuleWords): RuleDraft {
  return {
    name: words.nameOf(rule.name), description: words.textOf(rule), kind: rule.pattern_kind, pattern: rule.pattern, types: [...rule.script_types],
    action: rule.action, enabled: rule.is_enabled, groups: [...rule.host_group_ids], approvers: [...rule.approver_ids],
    approverGroups: [...rule.approver_group_ids], quorum: rule.quorum, hours: rule.expires_seconds / HOUR,
  }
}

export function bodyOf(draft: RuleDraft): RuleBody {
  const anything = draft.kind === 'anything'
  return {
    name: draft.name.trim(), description: draft.description, pattern_kind: draft.kind, pattern: anything ? '' : draft.pattern,
    script_types: anything ? [] : draft.types, action: draft.action, is_enabled: draft.enabled, host_group_ids: draft.groups,
    approver_ids: draft.approvers, approver_group_ids: draft.approverGroups, quorum: draft.quorum, expires_seconds: Math.round(draft.hours * HOUR),
  }
}

/** Words that nobody touched stay as they are stored, in whatever language they were shown. */
export function changesOf(rule: Rule, draft: RuleDraft, words: RuleWords): RuleBody {
  const shown = bodyOf(draftOf(rule, words))
  const body = bodyOf(draft)
  return { ...body, name: body.name === shown.name ? rule.name : body.name, description: body.description === shown.description ? rule.description : body.description }
}

/** What is missing before the server needs to be asked. */
export function isReady(draft: RuleDraft): boolean {
  if (draft.name.trim() === '') return false
  if (draft.kind === 'anything' ? draft.groups.length === 0 : draft.pattern.trim() === '') return false
  return draft.action !== 'approve' || draft.approvers.length + draft.approverGroups.length > 0
}
