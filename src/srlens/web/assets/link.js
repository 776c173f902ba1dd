(query) => {
  if (!query) return '';
  const theme = new URLSearchParams(location.search).get('__theme');
  const search = '?' + query + (theme ? '&__theme=' + encodeURIComponent(theme) : '');
  history.replaceState(null, '', search);
  return location.origin + location.pathname + search;
}
