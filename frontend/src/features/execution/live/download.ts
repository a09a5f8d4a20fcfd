// Everything that was stored of an execution, as one text file, read from the server page by page.
import { api, call } from '@/api/client'

const PER_CALL = 1024 * 1024

export interface DownloadScope {
  executionId: string
  hostId: number | null
}

/** `onProgress` gets the number of characters so far. Lines of several hosts carry their host's name. */
export async function collectOutput(scope: DownloadScope, onProgress: (characters: number) => void): Promise<Blob> {
  const pieces: string[] = []
  let position = 0
  let characters = 0
  for (;;) {
    const query = { position, limit_bytes: PER_CALL, host_id: scope.hostId ?? undefined }
    const params = { path: { execution_id: scope.executionId }, query }
    const page = await call(api.GET('/api/executor/execution-records/{execution_id}/logs/', { params }))
    for (const chunk of page.chunks) {
      if (chunk.gap_bytes) pieces.push(`\n[${chunk.gap_bytes} bytes missing: ${chunk.reason ?? ''}]\n`)
      const piece = scope.hostId === null ? withHost(chunk.host, chunk.text) : chunk.text
      pieces.push(piece)
      characters += piece.length
    }
    onProgress(characters)
    if (page.next_position <= position) break
    position = page.next_position
  }
  return new Blob(pieces, { type: 'text/plain;charset=utf-8' })
}

/** A chunk ends at any byte, so the name is put after each line feed inside it and at its start. */
export function withHost(host: string, text: string): string {
  const body = text.endsWith('\n') ? text.slice(0, -1) : text
  return `${body.split('\n').map((line) => `${host} | ${line}`).join('\n')}\n`
}

export function saveFile(blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '_')
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
