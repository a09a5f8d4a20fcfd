// How far the files of a task are, in numbers: all of them together.
import { isTaskOpen, type TaskRow } from '@/api/types'
import { formatBytes, formatDuration } from '@/ui/time'

export interface FilesProgress {
  /** Between 0 and 1. */
  share: number
  words: string
}

const number = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)

/** Null when the task moves no files, or has ended: its state says more then. */
export function filesProgress(task: TaskRow, language: string): FilesProgress | null {
  const told = task.progress
  const [done, size] = [number(told?.done), number(told?.size)]
  if (!isTaskOpen(task.status) || done === null || size === null) return null
  const speed = number(told?.bytes_per_second) ?? 0
  const left = number(told?.seconds_left)
  const parts = [`${formatBytes(done, language)} / ${formatBytes(size, language)}`]
  if (speed > 0) parts.push(`${formatBytes(speed, language)}/s`)
  if (left !== null) parts.push(`−${formatDuration(left * 1_000)}`)
  return { share: size > 0 ? Math.min(1, done / size) : 1, words: parts.join(' · ') }
}
