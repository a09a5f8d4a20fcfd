// The plan being written, kept for this browser tab without its secrets.
import { reactive, watch } from 'vue'
import { withoutSecrets } from '@/ui/run/variables'
import { emptyPlan, type PlanDraft } from './plan'

const KEY = 'opsjob.plan.draft'

function kept(): Partial<PlanDraft> {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? '{}') as Partial<PlanDraft>
  } catch {
    return {}
  }
}

export function usePlan(firstName: string): { plan: PlanDraft; clear: () => void } {
  const plan = reactive<PlanDraft>({ ...emptyPlan(firstName), ...kept() })
  watch(plan, () => {
    try {
      sessionStorage.setItem(KEY, JSON.stringify({ ...plan, variables: withoutSecrets(plan.variables) }))
    } catch {
      // A full store loses the draft at the next reload, nothing more.
    }
  })
  return { plan, clear: () => Object.assign(plan, emptyPlan(firstName)) }
}
