import { describe, expect, it } from 'vitest'
import { createApp, h } from 'vue'
import { createI18n } from 'vue-i18n'
import { messages as en } from '@/app/messages-en'
import { messages as zh } from '@/app/messages-zh'
import { changesOf, draftOf, type Rule } from '@/features/execution/rules/rule'
import { type RuleWords, useRuleWords } from '@/ui/run/shipped-rules'

/** The words as a page in this language has them. */
function wordsIn(language: 'en' | 'zh'): RuleWords {
  const i18n = createI18n({ legacy: false, locale: language, messages: { [language]: {} } })
  i18n.global.setLocaleMessage(language, language === 'en' ? en : zh)
  let words: RuleWords | undefined
  const page = { setup: () => ((words = useRuleWords()), () => h('p')) }
  createApp(page).use(i18n).mount(document.createElement('div'))
  return words as RuleWords
}

const shipped: Rule = {
  id: 1, name: 'Fork bomb', description: 'Starts processes until the host stands still. 不断创建进程直至主机失去响应。', pattern_kind: 'regex', pattern: ':', script_types: ['shell'],
  action: 'warn', is_enabled: true, host_group_ids: [], approver_ids: [], approver_group_ids: [], quorum: 1, expires_seconds: 86_400, created_at: '', updated_at: '',
}
const own: Rule = { ...shipped, name: 'No coffee', description: 'Tea only. 只喝茶。' }

describe('the words of a rule', () => {
  it.each([
    ['en', 'Fork bomb', 'Starts processes until the host stands still.'],
    ['zh', 'Fork 炸弹', '不断创建进程直至主机失去响应。'],
  ] as const)('that is shipped are those of the reader (%s)', (language, name, text) => {
    const words = wordsIn(language)

    expect([words.nameOf(shipped.name), words.textOf(shipped)]).toEqual([name, text])
    expect(words.textOf({ ...shipped, description: 'Our own words.' })).toBe('Our own words.')
  })

  it('are those of the reader in the reason of an approval, too', () => {
    const reason = 'Fork bomb, No coffee, Stop the host'

    expect(wordsIn('zh').namesOf(reason)).toBe('Fork 炸弹, No coffee, 关机或重启主机')
    expect(wordsIn('en').namesOf(reason)).toBe(reason)
    expect(wordsIn('zh').namesOf('')).toBe('')
  })

  it('that somebody made are nobody else’s', () => {
    const words = wordsIn('zh')

    expect([words.nameOf(own.name), words.textOf(own), words.nameOf('constructor')]).toEqual([own.name, own.description, 'constructor'])
  })
})

describe('a shipped rule that is changed in Chinese', () => {
  const words = wordsIn('zh')

  it('keeps its stored words where nobody touched them', () => {
    const draft = { ...draftOf(shipped, words), action: 'block' as const }

    expect(changesOf(shipped, draft, words)).toMatchObject({ name: shipped.name, description: shipped.description, action: 'block' })
  })

  it('takes the words that somebody wrote', () => {
    const draft = { ...draftOf(shipped, words), name: '禁止 Fork 炸弹', description: '' }

    expect(changesOf(shipped, draft, words)).toMatchObject({ name: '禁止 Fork 炸弹', description: '' })
  })
})
