// Finding by typing: answers may come in any order, only that to the newest question counts.
import { computed, type ComputedRef, ref, type Ref, type ShallowRef, shallowRef } from 'vue'
import { type Problem, useProblemText } from './problem'

export interface TypedSearch<T> {
  found: ShallowRef<T[]>
  loading: Ref<boolean>
  /** Why there is nothing to choose from, in a sentence; undefined while all is well. */
  failure: ComputedRef<string | undefined>
  look: (text: string) => Promise<void>
}

export function useTypedSearch<T>(search: (text: string) => Promise<T[]>): TypedSearch<T> {
  const found = shallowRef<T[]>([])
  const loading = ref(false)
  const problem = shallowRef<Problem | null>(null)
  const textOf = useProblemText()
  const failure = computed(() => (problem.value === null ? undefined : textOf(problem.value)))
  let newest = 0

  async function look(text: string): Promise<void> {
    const mine = ++newest
    loading.value = true
    let answer: T[] = []
    let wrong: Problem | null = null
    try {
      answer = await search(text)
    } catch (thrown) {
      wrong = isProblem(thrown) ? thrown : { status: -1, code: 'client', message: '', requestId: null }
    }
    if (mine !== newest) return
    found.value = answer
    problem.value = wrong
    loading.value = false
  }

  return { found, loading, failure, look }
}

function isProblem(thrown: unknown): thrown is Problem {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'status' in thrown
}
