import { describe, expect, it } from 'vitest'
import { useListKeys } from '@/ui/list-keys'

function listOf(count: number) {
  const picked: number[] = []
  const moved: number[] = []
  const keys = useListKeys({ count: () => count, page: () => 10, moved: (index) => moved.push(index), pick: (index) => picked.push(index) })
  const press = (...names: string[]): boolean[] => names.map((key) => {
    const event = new KeyboardEvent('keydown', { key, cancelable: true })
    keys.onKey(event)
    return event.defaultPrevented
  })
  return { ...keys, picked, moved, press }
}

describe('a list by keys', () => {
  it('is walked through and picked from, from its first row to its last', () => {
    const list = listOf(25)
    list.onFocus()
    list.press(' ', 'ArrowDown', ' ', 'PageDown', ' ', 'End', 'ArrowDown', ' ', 'Home', 'ArrowUp', ' ')

    expect(list.picked).toEqual([0, 1, 11, 24, 0])
    expect(list.moved).toEqual([1, 11, 24, 24, 0, 0])
  })

  it('does not move when a pointer gives it the focus', () => {
    const list = listOf(25)
    list.onFocus()

    expect([list.active.value, list.moved]).toEqual([0, []])
  })

  it('leaves other keys and empty lists alone', () => {
    expect(listOf(3).press('Tab', 'a', 'Escape')).toEqual([false, false, false])
    expect(listOf(0).press('ArrowDown', ' ')).toEqual([false, false])
  })
})
