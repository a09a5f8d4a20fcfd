// Strategy, variables and retries in a few words, for folded settings and for the sentence above Run.
import { batchSizes, type StrategyDraft } from './strategy'

type Words = (key: string, values?: Record<string, unknown>, count?: number) => string

export function strategyWords(draft: StrategyDraft, t: Words): string[] {
  const sizes = (batchSizes(draft.batches) ?? []).join(' → ')
  const words = [t(`ui.run.summary.${draft.mode}`, { sizes })]
  if (draft.canary !== null) words.push(t('ui.run.summary.canary', { count: draft.canary }))
  if (draft.concurrency !== null) words.push(t('ui.run.summary.limit', { count: draft.concurrency }))
  if (draft.tolerance !== 'default') words.push(t(draft.tolerance === 'hosts' ? 'ui.run.summary.tolerate' : 'ui.run.summary.toleratePercent', { count: draft.tolerated }))
  return words
}

export function settingsWords(given: { strategy: StrategyDraft; variables: number; retries: number }, t: Words): string {
  const words = strategyWords(given.strategy, t)
  if (given.retries > 0) words.push(t('ui.run.summary.retries', { count: given.retries }, given.retries))
  if (given.variables > 0) words.push(t('ui.run.summary.variables', { count: given.variables }, given.variables))
  return words.join(' · ')
}
