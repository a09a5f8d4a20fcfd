// Names of roles: the built-in ones in the reader's language, others as they were named.
import { useI18n } from 'vue-i18n'

interface Named {
  key: string
  name: string
}

export function useRoleName(): (key: string, roles?: readonly Named[] | null) => string {
  const { t, te } = useI18n()
  return (key, roles) => (te(`ui.roles.${key}`) ? t(`ui.roles.${key}`) : (roles?.find((one) => one.key === key)?.name ?? key))
}
