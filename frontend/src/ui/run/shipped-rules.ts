// The rules that are shipped are stored in English; here they get words in the reader's language, until somebody renames them.
import { useI18n } from 'vue-i18n'

const SHIPPED: Readonly<Record<string, string>> = {
  'Delete system folders': 'folders',
  'Make a file system': 'format',
  'Write over a disk': 'overwrite',
  'Wipe or partition a disk': 'wipe',
  'Stop the host': 'stop',
  'Fork bomb': 'fork',
  'Change owner or mode of system folders': 'owner',
  'Run what was just downloaded': 'download',
  'Kill all processes': 'kill',
  'Drop a database': 'database',
  'Delete a tree from Python': 'python',
}
/** A text in both languages: sentences in ASCII, then one that begins otherwise. */
const BOTH = /^([\x20-\x7e]+\.) ([^\x20-\x7e].*)$/s

/** How a consent puts the names of its rules together. */
const BETWEEN = ', '

export interface RuleWords {
  nameOf: (name: string) => string
  /** Of the rules that want a consent, as its reason names them. */
  namesOf: (reason: string) => string
  textOf: (rule: { name: string; description: string }) => string
}

export function useRuleWords(): RuleWords {
  const { t, locale } = useI18n()

  const isShipped = (name: string): boolean => Object.hasOwn(SHIPPED, name)

  const nameOf = (name: string): string => (isShipped(name) ? t(`ui.run.shipped.${SHIPPED[name]}`) : name)

  function textOf({ name, description }: { name: string; description: string }): string {
    const both = isShipped(name) ? BOTH.exec(description) : null
    return (locale.value.startsWith('zh') ? both?.[2] : both?.[1]) ?? description
  }

  return { nameOf, namesOf: (reason) => reason.split(BETWEEN).map(nameOf).join(BETWEEN), textOf }
}
