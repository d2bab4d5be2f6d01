// Shows the specification of the API.
window.SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#manual",
  docExpansion: "none",
  defaultModelsExpandDepth: -1,
  validatorUrl: null,
});
