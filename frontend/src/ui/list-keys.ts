// Keys of a list that is one stop of the Tab key: arrows move through its rows, and Space picks one.
import { type Ref, ref } from 'vue'

export interface ListKeys {
  /** The row that keys act on; -1 before the list had the focus. */
  active: Ref<number>
  onFocus: () => void
  onKey: (event: KeyboardEvent) => void
}

interface List {
  count: () => number
  /** Rows of one page of the list. */
  page: () => number
  moved: (index: number) => void
  pick: (index: number) => void
}

export function useListKeys(list: List): ListKeys {
  const active = ref(-1)

  function to(index: number): void {
    active.value = Math.min(list.count() - 1, Math.max(0, index))
    list.moved(active.value)
  }

  const moves: Readonly<Record<string, () => number>> = {
    ArrowDown: () => active.value + 1,
    ArrowUp: () => active.value - 1,
    PageDown: () => active.value + list.page(),
    PageUp: () => active.value - list.page(),
    Home: () => 0,
    End: () => list.count() - 1,
  }

  function onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || list.count() === 0) return
    const move = moves[event.key]
    if (move) to(move())
    else if (event.key === ' ' && active.value >= 0) list.pick(Math.min(active.value, list.count() - 1))
    else return
    event.preventDefault()
  }

  /** Without scrolling: the focus may come from a pointer that is about to click a row where it lies. */
  function onFocus(): void {
    if (active.value < 0 && list.count() > 0) active.value = 0
  }

  return { active, onFocus, onKey }
}
