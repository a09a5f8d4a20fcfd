// What a record is about, in the reader's language; kinds without a word keep their name.
import { useI18n } from 'vue-i18n'

export function useKindName(): (kind: string) => string {
  const { t, te } = useI18n()
  return (kind) => (te(`auth.audit.areas.${kind}`) ? t(`auth.audit.areas.${kind}`) : kind)
}
