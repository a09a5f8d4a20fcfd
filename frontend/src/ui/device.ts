// What somebody signs in with, as the server calls it, in the reader's language.
import { useI18n } from 'vue-i18n'

const OURS = 'opsjob command'
const BOTH = /^(.+) on (.+)$/

export function useDeviceName(): (device: string) => string {
  const { t } = useI18n()
  const programOf = (name: string): string => (name === OURS ? t('ui.device.command') : name)
  return (device) => {
    const [, program, system] = BOTH.exec(device) ?? []
    if (program && system) return t('ui.device.on', { program: programOf(program), system })
    return device === 'unknown' ? t('ui.device.unknown') : programOf(device)
  }
}
