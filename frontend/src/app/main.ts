import './element'
import './theme.css'
import './base.css'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { configureApi } from '@/api/client'
import { useSession } from '@/api/session'
import { usePreferences } from '@/ui/preferences'
import App from './App.vue'
import { i18n, useLanguage } from './i18n'
import { createConsoleRouter } from './router'
import { reloadWhenStale } from './stale'

async function start(): Promise<void> {
  const app = createApp(App)
  const pinia = createPinia()
  app.use(pinia)
  const preferences = usePreferences()
  const session = useSession()
  const router = createConsoleRouter()
  reloadWhenStale(router)
  configureApi({
    language: () => (preferences.language === 'zh' ? 'zh-CN' : 'en'),
    onUnauthenticated: () => {
      session.forget()
      const here = router.currentRoute.value
      if (here.name !== 'login') void router.push({ name: 'login', query: { from: here.fullPath, error: 'session_ended' } })
    },
  })
  await useLanguage(preferences.language)
  app.use(i18n)
  app.use(router)
  app.mount('#app')
}

void start()
