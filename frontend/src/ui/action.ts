// One thing that a person asked for: whether it is under way, and what went wrong with it.
import { type Ref, ref, shallowRef } from 'vue'

export interface Action<E> {
  busy: Ref<boolean>
  problem: Ref<E | null>
  /** Does the work unless some is under way; true once it is done. */
  run: (work: () => Promise<unknown>) => Promise<boolean>
  reset: () => void
}

export function useAction<E>(read: (thrown: unknown) => E): Action<E> {
  const busy = ref(false)
  const problem = shallowRef<E | null>(null)

  async function run(work: () => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    problem.value = null
    try {
      await work()
      return true
    } catch (thrown) {
      problem.value = read(thrown)
      return false
    } finally {
      busy.value = false
    }
  }

  return { busy, problem, run, reset: () => (problem.value = null) }
}
