// Runs and steps that nobody named carry an English name of the platform; here they get words in the reader's language.
import { useI18n } from 'vue-i18n'

const RUNS: Readonly<Record<string, string>> = {
  'Quick shell script': 'shell',
  'Quick python script': 'python',
  'Quick javascript script': 'javascript',
  'Quick perl script': 'perl',
  'Quick powershell script': 'powershell',
  'Quick go script': 'go',
  'Quick file transfer': 'transfer',
  'Quick file collection': 'collection',
}
/** These are words that people use, too: only of a run that the platform cut into steps itself. */
const STEPS: Readonly<Record<string, string>> = { Send: 'send', Collect: 'collect' }
const FETCH = /^Fetch (\d+)$/

export interface GivenNames {
  /** Of a run, or of a step of a run of this type. */
  nameOf: (name: string, type?: string) => string
}

export function useGivenNames(): GivenNames {
  const { t } = useI18n()

  function nameOf(name: string, type?: string): string {
    const fetched = type === 'quick_file_transfer' ? FETCH.exec(name)?.[1] : undefined
    if (fetched !== undefined) return t('ui.run.given.fetch', { number: fetched })
    const known = type === 'quick_file_transfer' ? { ...RUNS, ...STEPS } : RUNS
    return Object.hasOwn(known, name) ? t(`ui.run.given.${known[name]}`) : name
  }

  return { nameOf }
}
