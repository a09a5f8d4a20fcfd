// Uploads in pieces: summed first, then sent from where the server stands; a lost connection only costs the piece.
import { onScopeDispose, reactive } from 'vue'
import { api, call, commonHeaders } from './client'
import { type ApiError, asApiError, errorFrom, networkError } from './errors'
import type { StoredFile } from './plan-types'
import { Sha256 } from './sha256'

const READ_BYTES = 4 * 1024 * 1024
const PATIENCE_MILLISECONDS = [1_000, 2_000, 4_000, 8_000, 16_000]
const KEPT = 'opsjob.uploads'

export type UploadState = 'summing' | 'sending' | 'done' | 'failed'

export interface UploadRow {
  key: number
  name: string
  size: number
  /** Bytes summed while summing, bytes sent afterwards. */
  done: number
  state: UploadState
  bytesPerSecond: number
  problem: ApiError | null
  /** The stored file, once all of it is there. */
  file: StoredFile | null
}

interface Place {
  upload_id: string
  offset: number
  chunk_bytes: number
  file?: StoredFile | null
}

type Kept = Record<string, string>

function kept(): Kept {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? '{}') as Kept
  } catch {
    return {}
  }
}

/** Remembers an unfinished upload over a reload of the page; null forgets it. */
function keep(sum: string, uploadId: string | null): void {
  const others = Object.fromEntries(Object.entries(kept()).filter(([known]) => known !== sum))
  try {
    localStorage.setItem(KEPT, JSON.stringify(uploadId === null ? others : { ...others, [sum]: uploadId }))
  } catch {
    // Without a store an upload begins anew after a reload, nothing more.
  }
}

async function sumOf(file: Blob, onBytes: (done: number) => void, signal: AbortSignal): Promise<string> {
  const sum = new Sha256()
  for (let at = 0; at < file.size; at += READ_BYTES) {
    signal.throwIfAborted()
    sum.update(new Uint8Array(await file.slice(at, at + READ_BYTES).arrayBuffer()))
    onBytes(Math.min(file.size, at + READ_BYTES))
  }
  return sum.hex()
}

const show = (upload_id: string): Promise<Place> => call(api.GET('/api/files/uploads/{upload_id}/', { params: { path: { upload_id } } }))

async function begin(file: File, sha256: string): Promise<Place> {
  const known = kept()[sha256]
  if (known) {
    try {
      return await show(known)
    } catch (thrown) {
      if (!asApiError(thrown).isMissing) throw thrown
    }
  }
  const place = await call(api.POST('/api/files/uploads/', { body: { name: file.name, size: file.size, sha256 } }))
  keep(sha256, place.upload_id)
  return place
}

async function sendPiece(place: Place, piece: Blob, signal: AbortSignal): Promise<number> {
  let response: Response
  try {
    response = await fetch(`/api/files/uploads/${encodeURIComponent(place.upload_id)}/?offset=${place.offset}`, {
      method: 'PUT', body: piece, signal, credentials: 'same-origin', headers: { ...commonHeaders('PUT'), 'Content-Type': 'application/octet-stream' },
    })
  } catch (thrown) {
    signal.throwIfAborted()
    throw networkError(thrown)
  }
  const body = (await response.json().catch(() => null)) as { content?: Place } | null
  if (!response.ok) throw errorFrom(response, body)
  return body?.content?.offset ?? place.offset + piece.size
}

const rest = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Sends the file from where the server stands to its end. */
async function sendAll(file: File, place: Place, onBytes: (done: number) => void, signal: AbortSignal): Promise<void> {
  let failures = 0
  while (place.offset < file.size) {
    signal.throwIfAborted()
    try {
      place.offset = await sendPiece(place, file.slice(place.offset, place.offset + place.chunk_bytes), signal)
      failures = 0
    } catch (thrown) {
      const error = asApiError(thrown)
      const patience = PATIENCE_MILLISECONDS[failures++]
      if (signal.aborted || patience === undefined || !(error.isTemporary || error.status === 409)) throw thrown
      if (error.status !== 409) await rest(patience)
      place.offset = (await show(place.upload_id).catch(() => place)).offset
    }
    onBytes(place.offset)
  }
}

async function uploadFile(file: File, row: UploadRow, signal: AbortSignal): Promise<StoredFile> {
  const sum = await sumOf(file, (done) => (row.done = done), signal)
  row.state = 'sending'
  const place = await begin(file, sum)
  row.done = place.offset
  const since = performance.now()
  const before = place.offset
  const told = (done: number): void => {
    row.done = done
    row.bytesPerSecond = ((done - before) * 1_000) / Math.max(1, performance.now() - since)
  }
  if (!place.file) await sendAll(file, place, told, signal)
  const stored = place.file ?? (await call(api.POST('/api/files/uploads/{upload_id}/complete/', { params: { path: { upload_id: place.upload_id } } })))
  keep(sum, null)
  row.done = file.size
  return stored
}

export function useUploads(onStored: (file: StoredFile) => void) {
  const rows = reactive<UploadRow[]>([])
  const work = new Map<number, { file: File; stop: AbortController }>()
  let lastKey = 0

  async function start(row: UploadRow, file: File): Promise<void> {
    const stop = new AbortController()
    work.set(row.key, { file, stop })
    Object.assign(row, { state: 'summing', done: 0, problem: null })
    try {
      row.file = await uploadFile(file, row, stop.signal)
      row.state = 'done'
      onStored(row.file)
    } catch (thrown) {
      if (stop.signal.aborted) return
      row.problem = asApiError(thrown)
      row.state = 'failed'
    }
  }

  function add(files: Iterable<File>): void {
    for (const file of files) {
      rows.push({ key: (lastKey += 1), name: file.name, size: file.size, done: 0, state: 'summing', bytesPerSecond: 0, problem: null, file: null })
      void start(rows.at(-1) as UploadRow, file)
    }
  }

  function drop(key: number): void {
    work.get(key)?.stop.abort()
    work.delete(key)
    const at = rows.findIndex((row) => row.key === key)
    if (at >= 0) rows.splice(at, 1)
  }

  /** Goes on with one that failed, from where the server stands. */
  function again(key: number): void {
    const row = rows.find((one) => one.key === key)
    const known = work.get(key)
    if (row && known) void start(row, known.file)
  }

  onScopeDispose(() => work.forEach(({ stop }) => stop.abort()))
  return { rows, add, drop, again }
}
