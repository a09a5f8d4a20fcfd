// Why a task ended as it did, in words; a reason that has none is shown as the server names it.
import { useI18n } from 'vue-i18n'

export function useReasons(): (code: string) => string {
  const { t, te } = useI18n()
  return (code) => {
    const key = `execution.live.reasons.${code}`
    return te(key) ? t(key) : code
  }
}
