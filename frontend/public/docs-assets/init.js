// Starts the API documentation viewer on /api/docs/; the page itself holds no script.
window.addEventListener('load', function () {
  window.SwaggerUIBundle({
    url: '/api/schema/',
    dom_id: '#swagger-ui',
    deepLinking: true,
    tryItOutEnabled: false,
    persistAuthorization: false,
    defaultModelsExpandDepth: 0,
    docExpansion: 'list',
    filter: true,
    validatorUrl: null,
    requestInterceptor: function (request) {
      request.headers['X-Requested-With'] = 'opsjob'
      return request
    },
  })
})
