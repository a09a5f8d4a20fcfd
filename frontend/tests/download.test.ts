import { describe, expect, it } from 'vitest'
import type { TaskRow } from '@/api/types'
import { downloadUrl } from '@/features/execution/live/download'
import { filesProgress } from '@/features/execution/live/progress'
import { spanStart } from '@/features/execution/records/filters'

describe('a download', () => {
  it('names what is wanted and nothing else', () => {
    expect(downloadUrl('e1', { hostId: null, stepId: null }, 'zip')).toBe('/api/executor/execution-records/e1/logs/download/?format=zip')
    expect(downloadUrl('e1', { hostId: 7, stepId: 's2' }, 'txt')).toBe('/api/executor/execution-records/e1/logs/download/?format=txt&host_id=7&step_id=s2')
  })
})

describe('the progress of files', () => {
  const task = (changes: object) => ({ status: 'running', progress: { done: 250, size: 1_000, bytes_per_second: 50, seconds_left: 15 }, ...changes }) as unknown as TaskRow

  it('is told with speed and time left', () => {
    expect(filesProgress(task({}), 'en')).toEqual({ share: 0.25, words: '250 B / 1 kB · 50 B/s · −15.0 s' })
  })

  it('is not told of a task that has ended or moves no files', () => {
    expect(filesProgress(task({ status: 'success' }), 'en')).toBeNull()
    expect(filesProgress(task({ progress: null }), 'en')).toBeNull()
  })
})

describe('a span of time', () => {
  const now = new Date(2026, 4, 20, 15, 30, 40)

  it.each([
    ['hour', new Date(2026, 4, 20, 14, 30)],
    ['today', new Date(2026, 4, 20)],
    ['week', new Date(2026, 4, 13, 15, 30)],
    ['month', new Date(2026, 3, 20, 15, 30)],
  ] as const)('%s begins on the minute', (span, start) => {
    expect(spanStart(span, now)).toEqual(start)
  })
})
