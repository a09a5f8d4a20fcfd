import { describe, expect, it } from 'vitest'
import { createApp, h } from 'vue'
import { createI18n } from 'vue-i18n'
import { SCRIPT_TYPES } from '@/api/types'
import { messages as en } from '@/app/messages-en'
import { messages as zh } from '@/app/messages-zh'
import { type GivenNames, useGivenNames } from '@/ui/run/given-names'

function namesIn(language: 'en' | 'zh'): GivenNames['nameOf'] {
  const i18n = createI18n({ legacy: false, locale: language, messages: { [language]: {} } })
  i18n.global.setLocaleMessage(language, language === 'en' ? en : zh)
  let names: GivenNames | undefined
  const page = { setup: () => ((names = useGivenNames()), () => h('p')) }
  createApp(page).use(i18n).mount(document.createElement('div'))
  return (names as GivenNames).nameOf
}

const GIVEN = [...SCRIPT_TYPES.map((one) => `Quick ${one} script`), 'Quick file transfer', 'Quick file collection']
const STEPS = ['Send', 'Collect', 'Fetch 12']

describe('a name that the platform gave', () => {
  it('is shown in the language of the reader', () => {
    const english = namesIn('en')
    const chinese = namesIn('zh')

    expect(GIVEN.map((name) => english(name))).toEqual(GIVEN)
    expect(GIVEN.map((name) => chinese(name)).filter((name) => !/^快速/.test(name))).toEqual([])
    expect(STEPS.map((name) => english(name, 'quick_file_transfer'))).toEqual(STEPS)
    expect(STEPS.map((name) => chinese(name, 'quick_file_transfer'))).toEqual(['分发', '收集', '收集 12'])
  })

  it('is not looked for in what people wrote', () => {
    const chinese = namesIn('zh')
    const own = ['Quick shell script 2', 'quick shell script', 'constructor', '', ...STEPS]

    expect(own.map((name) => chinese(name))).toEqual(own)
    expect(STEPS.map((name) => chinese(name, 'job_workflow'))).toEqual(STEPS)
  })
})
