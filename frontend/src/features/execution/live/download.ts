// Where stored output is downloaded from: the server streams it, whatever its size.

export type DownloadForm = 'txt' | 'zip'
export const DOWNLOAD_FORMS: readonly DownloadForm[] = ['txt', 'zip']

export interface DownloadScope {
  /** Null stands for all of them. */
  hostId: number | null
  stepId: string | null
}

export function downloadUrl(executionId: string, scope: DownloadScope, form: DownloadForm): string {
  const query = new URLSearchParams({ format: form })
  if (scope.hostId !== null) query.set('host_id', String(scope.hostId))
  if (scope.stepId !== null) query.set('step_id', scope.stepId)
  return `/api/executor/execution-records/${encodeURIComponent(executionId)}/logs/download/?${query}`
}

/** One archive of all that the run fetched, with a folder for each host. */
export const collectedUrl = (executionId: string): string => `/api/executor/execution-records/${encodeURIComponent(executionId)}/collected/`

/** Through a link, so that an answer that is no file never takes the page's place. */
export function startDownload(url: string): void {
  const link = document.createElement('a')
  link.href = url
  link.download = ''
  link.click()
}
