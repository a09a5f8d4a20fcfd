// How far the files of a task are: all of them together, and each by itself.
import { isTaskOpen, type StepRow, type TaskRow } from '@/api/types'
import { formatBytes, formatDuration } from '@/ui/time'

export interface FilesProgress {
  /** Between 0 and 1. */
  share: number
  words: string
}

/** One file as the agent told last; `state` is a word of the states on screen. */
export interface FileRow {
  path: string
  state: 'pending' | 'running' | 'success' | 'skipped' | 'failed' | 'cancelled'
  share: number
  words: string
  /** Of a file that was compared with it after it arrived. */
  sha256: string | null
}

interface Source {
  name: string
  size: number | null
  sha256: string
}

const STATES: Record<string, FileRow['state']> = { waiting: 'pending', running: 'running', done: 'success', skipped: 'skipped', failed: 'failed' }

const number = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)
const record = (value: unknown): Record<string, unknown> => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {})
const list = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value.map(record) : [])

function pace(row: Record<string, unknown>, language: string): string[] {
  const [done, size] = [number(row.done) ?? 0, number(row.size) ?? 0]
  const speed = number(row.bytes_per_second) ?? 0
  const left = number(row.seconds_left)
  return [
    `${formatBytes(done, language)} / ${formatBytes(size, language)}`,
    ...(speed > 0 ? [`${formatBytes(speed, language)}/s`] : []),
    ...(left === null ? [] : [`−${formatDuration(left * 1_000)}`]),
  ]
}

const shareOf = (row: Record<string, unknown>): number => {
  const [done, size] = [number(row.done) ?? 0, number(row.size) ?? 0]
  return size > 0 ? Math.min(1, done / size) : 1
}

/** Null when the task moves no files, or has ended: its state says more then. */
export function filesProgress(task: TaskRow, language: string): FilesProgress | null {
  const told = record(task.progress)
  if (!isTaskOpen(task.status) || number(told.done) === null || number(told.size) === null) return null
  return { share: shareOf(told), words: pace(told, language).join(' · ') }
}

/** The last word about a file may have been lost with the end of its task, which says more. */
function stateOf(row: Record<string, unknown>, task: TaskRow): FileRow['state'] {
  const state = STATES[String(row.state)] ?? 'pending'
  if (isTaskOpen(task.status) || (state !== 'pending' && state !== 'running')) return state
  return task.status === 'success' ? 'success' : 'cancelled'
}

function sourcesOf(step: StepRow | null | undefined): Source[] {
  const file = record(record(step?.payload).file)
  return list(file.sources).flatMap((one) => (typeof one.sha256 === 'string' ? [{ name: String(one.name ?? ''), size: number(one.size), sha256: one.sha256 }] : []))
}

/** Of what was sent only: it was fixed when the run was accepted. */
function checksumOf(path: string, size: number, sources: readonly Source[]): string | null {
  const fitting = sources.filter((one) => one.size === size)
  const found = fitting.find((one) => one.name !== '' && path.endsWith(`/${one.name}`)) ?? (sources.length === 1 ? fitting[0] : undefined)
  return found?.sha256 ?? null
}

/** Every file that the agent told of, what moves first. */
export function fileRows(task: TaskRow, step: StepRow | null | undefined, language: string): FileRow[] {
  const sources = sourcesOf(step)
  return list(record(task.progress).files).map((row) => {
    const [path, state, size] = [String(row.path ?? ''), stateOf(row, task), number(row.size) ?? 0]
    const words = state === 'running' ? pace(row, language).join(' · ') : formatBytes(size, language)
    return { path, state, share: state === 'success' ? 1 : shareOf(row), words, sha256: state === 'success' ? checksumOf(path, size, sources) : null }
  })
}
