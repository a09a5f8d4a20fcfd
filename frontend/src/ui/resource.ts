// Server state of one page part: loads, reloads when its question changes, keeps the old answer while the new one comes.
import { onBeforeUnmount, type Ref, ref, shallowRef, watch, type WatchSource } from 'vue'

export interface Resource<T, E> {
  data: Ref<T | null>
  problem: Ref<E | null>
  loading: Ref<boolean>
  reload: () => Promise<void>
}

/**
 * `load` gets a signal that aborts when a newer question is asked. `read` turns what was thrown into a problem.
 */
export function useResource<T, E>(
  question: WatchSource | WatchSource[],
  load: (signal: AbortSignal) => Promise<T>,
  read: (thrown: unknown) => E,
): Resource<T, E> {
  const data = shallowRef<T | null>(null)
  const problem = shallowRef<E | null>(null)
  const loading = ref(false)
  let current: AbortController | null = null

  async function reload(): Promise<void> {
    current?.abort()
    const mine = new AbortController()
    current = mine
    loading.value = true
    try {
      const answer = await load(mine.signal)
      if (current !== mine) return
      data.value = answer
      problem.value = null
    } catch (thrown) {
      if (current !== mine) return
      problem.value = read(thrown)
    } finally {
      if (current === mine) loading.value = false
    }
  }

  watch(question, () => void reload(), { immediate: true })
  onBeforeUnmount(() => {
    current?.abort()
    current = null
  })
  return { data, problem, loading, reload }
}
