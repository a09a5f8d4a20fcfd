// The script being written, kept for this browser tab, so that a reload or a look elsewhere loses nothing.
import { reactive, watch } from 'vue'
import { withoutSecrets } from '@/ui/run/variables'
import { type Draft, emptyDraft } from './plan'

const KEY = 'opsjob.quick.draft'

function kept(): Partial<Draft> {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? '{}') as Partial<Draft>
  } catch {
    return {}
  }
}

export function useDraft(): Draft {
  const draft = reactive<Draft>({ ...emptyDraft(), ...kept() })
  watch(draft, () => {
    try {
      sessionStorage.setItem(KEY, JSON.stringify({ ...draft, variables: withoutSecrets(draft.variables) }))
    } catch {
      // A full store loses the draft at the next reload, nothing more.
    }
  })
  return draft
}
