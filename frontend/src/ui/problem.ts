// What a failed call looks like to a presentational part; API errors have this shape.
import { useI18n } from 'vue-i18n'

export interface Problem {
  status: number
  code: string
  message: string
  requestId: string | null
}

/** A sentence for a problem: ours for well-known codes without a useful text, else the server's. */
export function useProblemText(): (problem: Problem) => string {
  const { t, te } = useI18n()
  return (problem) => {
    const key = `ui.errors.${problem.code}`
    if (problem.message !== '' && problem.code !== 'client') return problem.message
    return te(key) ? t(key) : t('ui.errors.unexpected_answer', { status: problem.status })
  }
}
