// Stored files as lists and choosers ask for them.
import { api, call } from './client'

export function storedFiles(query: { kind?: 'upload' | 'collected'; search?: string; page: number; page_size: number }, signal?: AbortSignal) {
  return call(api.GET('/api/files/', { signal, params: { query } }))
}

export const contentUrl = (fileId: string): string => `/api/files/${encodeURIComponent(fileId)}/content/`
