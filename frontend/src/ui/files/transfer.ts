// What a step sends to hosts or fetches from them, as it is being filled in, and what of it is said to the server.

export type Overwrite = 'overwrite' | 'skip' | 'backup' | 'fail'
export const OVERWRITES: readonly Overwrite[] = ['overwrite', 'skip', 'backup', 'fail']

export interface ChosenFile {
  id: string
  name: string
  size: number
}

export interface PushDraft {
  files: ChosenFile[]
  path: string
  overwrite: Overwrite
  mode: string
  /** Of folders that are made on the way. */
  folderMode: string
  owner: string
  group: string
  /** Megabytes per second for each host, and for all together. */
  perHost: number | null
  together: number | null
}

export interface CollectDraft {
  paths: string
  excludes: string
  perHost: number | null
  together: number | null
  maxFiles: number | null
  /** For each host, in millions of bytes. */
  maxMegabytes: number | null
}

export type TransferBlocker = 'noFiles' | 'noPath' | 'relativePath' | 'badMode' | 'noPatterns'

const MODE = /^0?[0-7]{3,4}$/
/** From the root, by drive, or beginning with a value. */
const ABSOLUTE = /^(\/|[A-Za-z]:[\\/]|\$\{|\{\{)/
export const PATH_VALUES = ['DATE', 'TIME', 'YEAR', 'MONTH', 'DAY', 'HOST', 'HOST_ID', 'IP', 'EXECUTION_ID'] as const

export const emptyPush = (): PushDraft => ({ files: [], path: '', overwrite: 'overwrite', mode: '', folderMode: '', owner: '', group: '', perHost: null, together: null })
export const emptyCollect = (): CollectDraft => ({ paths: '', excludes: '', perHost: null, together: null, maxFiles: null, maxMegabytes: null })

export const linesOf = (text: string): string[] => text.split('\n').map((line) => line.trim()).filter((line) => line !== '')

export const isAbsolute = (path: string): boolean => ABSOLUTE.test(path.trim())

const fitsMode = (mode: string): boolean => mode.trim() === '' || MODE.test(mode.trim())

/** `others` are things to send beside the files. */
export function pushBlocker(draft: PushDraft, others = 0): TransferBlocker | null {
  if (draft.files.length + others === 0) return 'noFiles'
  if (draft.path.trim() === '') return 'noPath'
  if (!isAbsolute(draft.path)) return 'relativePath'
  return fitsMode(draft.mode) && fitsMode(draft.folderMode) ? null : 'badMode'
}

export function collectBlocker(draft: CollectDraft): TransferBlocker | null {
  const paths = linesOf(draft.paths)
  if (paths.length === 0) return 'noPatterns'
  return paths.every(isAbsolute) ? null : 'relativePath'
}

export function pushRequest(draft: PushDraft) {
  const [mode, folderMode, owner, group] = [draft.mode.trim(), draft.folderMode.trim(), draft.owner.trim(), draft.group.trim()]
  return {
    sources: draft.files.map((file) => ({ artifact_id: file.id })),
    remote_path: draft.path.trim(),
    overwrite_policy: draft.overwrite,
    ...(mode === '' ? {} : { mode }),
    ...(folderMode === '' ? {} : { folder_mode: folderMode }),
    ...(owner === '' ? {} : { owner }),
    ...(group === '' ? {} : { group }),
    ...(draft.perHost === null ? {} : { bandwidth_limit: draft.perHost }),
    ...(draft.together === null ? {} : { total_bandwidth_limit: draft.together }),
  }
}

export function collectRequest(draft: CollectDraft) {
  const excludes = linesOf(draft.excludes)
  return {
    paths: linesOf(draft.paths),
    ...(excludes.length > 0 ? { excludes } : {}),
    ...(draft.perHost === null ? {} : { bandwidth_limit: draft.perHost }),
    ...(draft.together === null ? {} : { total_bandwidth_limit: draft.together }),
    ...(draft.maxFiles === null ? {} : { max_files: draft.maxFiles }),
    ...(draft.maxMegabytes === null ? {} : { max_bytes: Math.round(draft.maxMegabytes * 1e6) }),
  }
}
